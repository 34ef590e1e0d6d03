package manifest

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// PeerAuthentication is Istio's, as far as it matters to probes: it may make a pod's sidecar refuse
// connections in plain text. Only [DecodeLenient] reads it.
type PeerAuthentication struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec   PeerAuthenticationSpec `json:"spec"`
	Status map[string]any         `json:"status,omitempty"`
}

// PeerAuthenticationSpec says which pods it is about, and how clients must connect to them.
type PeerAuthenticationSpec struct {
	Selector *PeerSelector `json:"selector,omitempty"`
	Mtls     *MutualTLS    `json:"mtls,omitempty"`
	// PortLevelMtls is by the number of the pod's port.
	PortLevelMtls map[string]MutualTLS `json:"portLevelMtls,omitempty"`
}

// PeerSelector selects pods.
type PeerSelector struct {
	MatchLabels map[string]string `json:"matchLabels,omitempty"`
}

// MutualTLS is how clients must connect: STRICT, PERMISSIVE, DISABLE, or UNSET to inherit it.
type MutualTLS struct {
	Mode string `json:"mode,omitempty"`
}

// DeepCopyObject implements [runtime.Object].
func (p *PeerAuthentication) DeepCopyObject() runtime.Object {
	c := &PeerAuthentication{TypeMeta: p.TypeMeta, ObjectMeta: *p.ObjectMeta.DeepCopy(), Spec: PeerAuthenticationSpec{PortLevelMtls: maps.Clone(p.Spec.PortLevelMtls)},
		Status: runtime.DeepCopyJSON(p.Status)}
	if p.Spec.Selector != nil {
		c.Spec.Selector = &PeerSelector{MatchLabels: maps.Clone(p.Spec.Selector.MatchLabels)}
	}
	if p.Spec.Mtls != nil {
		c.Spec.Mtls = new(*p.Spec.Mtls)
	}
	return c
}
