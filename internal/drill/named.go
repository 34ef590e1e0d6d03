package drill

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/names"
	"github.com/probity-run/probity/internal/program"
)

// namedService is a Service that a variable of the manifest names, so that the workload most
// probably depends on it.
type namedService struct {
	dependency string // the name that it has when it is found, unless [Options.Dependencies] has another
	variable   string
}

// findNamed finds the Services that the variables of a workload's containers name.
func (t *target) findNamed(objects []manifest.Object) {
	var services []*corev1.Service
	for _, o := range objects {
		if s, ok := o.Resource.(*corev1.Service); ok && len(s.Spec.Selector) > 0 && s.Spec.ClusterIP != corev1.ClusterIPNone {
			services = append(services, s)
		}
	}
	pod := &corev1.Pod{ObjectMeta: t.meta, Spec: *t.spec}
	pod.Namespace = t.namespace
	room := program.NewRoom(0)
	for _, c := range program.Containers(t.spec) {
		env, err := program.NewEnvironment(pod, c.Container, program.Manifests(objects), nil, nil, room)
		if err != nil || c.PlainInit {
			continue // why it cannot be started, the system says
		}
		_ = env.Rewrite(func(v program.Variable) string { // nothing is rewritten
			t.note(v, services)
			return v.Value
		})
	}
}

// note notes the Services that a variable names: by host and port, by a URL, or as a bare word if
// it is a host by its own name.
func (t *target) note(v program.Variable, services []*corev1.Service) {
	found := func(host string) {
		s, ok := names.Find(services, t.namespace, host)
		if !ok || s.Namespace == t.namespace && s.Name == t.Service {
			return
		}
		name := s.Name
		if s.Namespace != metav1.NamespaceDefault {
			name += "." + s.Namespace
		}
		if !slices.ContainsFunc(t.named, func(n namedService) bool { return n.dependency == name }) {
			t.named = append(t.named, namedService{name, v.Name})
		}
	}
	if strings.HasSuffix(v.Name, "HOST") {
		found(v.Value)
	}
	names.Replace(v.Value, func(host string, _ int) (string, int, bool) {
		found(host)
		return "", 0, false
	})
}

// unused says why a dependency that the manifest names was not found.
func (n namedService) unused() string {
	return fmt.Sprintf("named by %s, but nothing connected to it: send a request that uses it (--request)", n.variable)
}

// leaveOutNamed lists the outages of what the manifests name and nobody has used.
func (d *drill) leaveOutNamed() {
	if len(d.opts.Faults) > 0 || d.system.CannotWatch() != nil {
		return
	}
	for _, t := range d.targets {
		for _, n := range t.named {
			if name := d.nameOf(n); !d.known(name) {
				d.report.LeftOut = append(d.report.LeftOut, LeftOut{Fault: string(KindDependency) + ":" + name, Workload: t.Name, Reason: n.unused()})
			}
		}
	}
}

// nameOf is the name that a dependency has when it is found.
func (d *drill) nameOf(n namedService) string {
	for name, variable := range d.opts.Dependencies {
		if variable == n.variable {
			return name
		}
	}
	return n.dependency
}

// known reports whether a dependency is in the report.
func (d *drill) known(dependency string) bool {
	return slices.ContainsFunc(d.report.Dependencies, func(dep Dependency) bool { return dep.Name == dependency })
}
