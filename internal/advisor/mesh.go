package advisor

import (
	"maps"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/manifest"
)

// A PeerAuthentication is one of Istio's in the manifests: who may connect to the pods, and how.
type PeerAuthentication struct {
	Object manifest.Object
	Spec   *manifest.PeerAuthenticationSpec
}

// meshRoot is the namespace in which a PeerAuthentication is about the whole mesh by default.
const meshRoot = "istio-system"

// mesh's annotations and labels of pods.
const (
	meshRewrites = "sidecar.istio.io/rewriteAppHTTPProbers"
	meshInjects  = "sidecar.istio.io/inject"
	meshExcludes = "traffic.sidecar.istio.io/excludeInboundPorts"
)

// StrictMesh is the PeerAuthentication after which the pod's sidecar refuses a connection from the
// kubelet to the port: one that demands mTLS, while the pod asks not to have its probes rewritten.
// It is nil if there is none in the manifests.
func (w *Workload) StrictMesh(port int32) *PeerAuthentication {
	inject := w.Meta.Labels[meshInjects] + w.Meta.Annotations[meshInjects]
	text := strconv.Itoa(int(port))
	if w.Meta.Annotations[meshRewrites] != "false" || strings.Contains(inject, "false") || w.Spec.HostNetwork || hasNumber(w.Meta.Annotations[meshExcludes], text) {
		return nil
	}
	var nearest *PeerAuthentication
	for _, p := range w.mesh {
		if p.closeness(w) > nearest.closeness(w) && p.mode(text) != "" {
			nearest = p
		}
	}
	if nearest == nil || nearest.mode(text) != "STRICT" {
		return nil
	}
	return nearest
}

// closeness orders the PeerAuthentications that are about a workload: the closest one decides. 0
// means that it is not about the workload.
func (p *PeerAuthentication) closeness(w *Workload) int {
	if p == nil {
		return 0
	}
	namespace := p.Object.Resource.GetNamespace()
	switch same := namespace == w.Object.Resource.GetNamespace(); {
	case p.Spec.Selector != nil && len(p.Spec.Selector.MatchLabels) > 0:
		if same && labels.SelectorFromSet(maps.Clone(p.Spec.Selector.MatchLabels)).Matches(labels.Set(w.Meta.Labels)) {
			return 3
		}
		return 0
	case same:
		return 2
	case namespace == meshRoot:
		return 1
	}
	return 0
}

// mode is that for the port, or empty if it inherits one.
func (p *PeerAuthentication) mode(port string) string {
	if m := p.Spec.PortLevelMtls[port]; m.Mode != "" && m.Mode != "UNSET" {
		return m.Mode
	}
	if p.Spec.Mtls == nil || p.Spec.Mtls.Mode == "UNSET" {
		return ""
	}
	return p.Spec.Mtls.Mode
}
