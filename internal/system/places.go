package system

import (
	"fmt"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// places are where fields of Pods are written, for those who tell a person what to change: a few
// fields of each container, as a whole manifest would take too much memory. The zero value is empty
// and safe for concurrent use.
type places struct {
	mu    sync.Mutex // guards lines
	lines map[manifest.Ref]map[string]string
}

// placedFields are the fields of a container that advice is about.
func placedFields() []string {
	fields := []string{"command", "args", "image"}
	for _, probe := range []string{"startupProbe", "readinessProbe", "livenessProbe"} {
		for _, field := range []string{"", ".httpGet.path", ".httpGet.port", ".tcpSocket.port", ".grpc.port", ".exec.command", ".timeoutSeconds", ".failureThreshold"} {
			fields = append(fields, probe+field)
		}
	}
	return fields
}

// note remembers where the Pods of manifests are written.
func (p *places) note(objects []manifest.Object) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lines == nil {
		p.lines = map[manifest.Ref]map[string]string{}
	}
	for _, object := range objects {
		_, spec, prefix, ok := object.Template()
		if !ok {
			continue
		}
		if prefix != "" {
			prefix += "."
		}
		lines := map[string]string{}
		for list, containers := range map[string]int{"spec.containers": len(spec.Containers), "spec.initContainers": len(spec.InitContainers)} {
			for i := range containers {
				for _, field := range placedFields() {
					path := fmt.Sprintf("%s[%d].%s", list, i, field)
					at := object.PositionOf(prefix + path)
					lines[path] = fmt.Sprintf("%s:%d", printable.File(at.File), at.Line)
				}
			}
		}
		p.lines[object.Ref()] = lines
	}
}

func (p *places) find(ref manifest.Ref, field string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lines[ref][field]
}

// Place says where a field of a Pod's spec is written, as in "app.yaml:31"; "" if that is not
// known. The path is that in the Pod, as in "spec.containers[0].readinessProbe.httpGet.port".
func (s *System) Place(pod *corev1.Pod, field string) string {
	return s.applier.places.find(s.origin(pod), field)
}

// origin is the object of a manifest that a Pod is made for: its Deployment, its StatefulSet, its
// ReplicaSet, or the Pod itself.
func (s *System) origin(pod *corev1.Pod) manifest.Ref {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return manifest.Ref{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name}
	}
	if owner.Kind == "ReplicaSet" {
		if set, err := store.Get[*appsv1.ReplicaSet](s.store, pod.Namespace, owner.Name); err == nil {
			if above := metav1.GetControllerOf(set); above != nil {
				owner = above
			}
		}
	}
	return manifest.Ref{Kind: owner.Kind, Namespace: pod.Namespace, Name: owner.Name}
}

// OpenLog opens what an instance of a container has printed, at its beginning, as far as it is
// kept: that of the running instance and of the one before. instance counts the restarts before.
// Whoever reads it closes it.
func (s *System) OpenLog(pod *corev1.Pod, container string, instance int) *process.LogReader {
	return s.node.OpenLog(pod, container, instance)
}
