package advisor

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// A Workload is an object that describes pods: a Pod, or a controller with its template.
type Workload struct {
	Object manifest.Object
	// Meta and Spec are those of the pods.
	Meta *metav1.ObjectMeta
	Spec *corev1.PodSpec
	// SpecPath leads to the pod's spec, "spec.template.spec" for a Deployment; MetaPath to its
	// metadata.
	SpecPath, MetaPath string
	// Containers are those that can have probes: sidecars first, in the order in which they start,
	// then the regular ones, without those that a webhook fills in.
	Containers []*Container
	// PlainInit are the init containers that are no sidecars: they run to their end.
	PlainInit []*Container
	// Services are those that select the pods. Backends are the ports of the containers to which
	// they send traffic, as far as these are known.
	Services []*Service
	Backends []Backend
	// Replicas is the largest number of pods that the files ask for, an autoscaler's maximum
	// included; 0 means unknown.
	Replicas int
	// Least is the smallest number of pods that the files ask for: that in the object, or an
	// autoscaler's minimum; 0 means none, or unknown.
	Least int
	// Budgets are the PodDisruptionBudgets that select the pods.
	Budgets []*Budget

	byPath  map[string]int // the index in Containers
	settled int            // when faults of scenarios begin: see whenSettled
	traffic []*Service
	mesh    []*PeerAuthentication
	// company means that another workload is in the same file.
	company bool
	// crowded means that the file asks for more Pods than can be simulated.
	crowded bool
}

// A Container is one that can have probes, or a plain init container.
type Container struct {
	*corev1.Container
	Workload *Workload
	// Path leads to the container in the object.
	Path string
	// Sidecar is an init container with restartPolicy Always.
	Sidecar bool
	// Startup, Readiness and Liveness are nil if there is no such probe.
	Startup, Readiness, Liveness *Probe
}

func newWorkload(o manifest.Object) *Workload {
	meta, spec, prefix, ok := o.Template()
	if !ok {
		return nil
	}
	w := &Workload{Object: o, Meta: meta, Spec: spec, SpecPath: "spec", MetaPath: "metadata", Replicas: replicasOf(o.Resource)}
	if prefix != "" {
		w.SpecPath, w.MetaPath = prefix+".spec", prefix+".metadata"
	}
	for i := range spec.InitContainers {
		c := w.container(&spec.InitContainers[i], "initContainers", i)
		if p := c.RestartPolicy; p != nil && *p == corev1.ContainerRestartPolicyAlways {
			c.Sidecar = true
			w.Containers = append(w.Containers, c)
		} else {
			w.PlainInit = append(w.PlainInit, c)
		}
	}
	for i := range spec.Containers {
		if !isInjected(&spec.Containers[i]) {
			w.Containers = append(w.Containers, w.container(&spec.Containers[i], "containers", i))
		}
	}
	w.byPath = make(map[string]int, len(w.Containers))
	for i, c := range w.Containers {
		w.byPath[c.Path] = i
	}
	w.settled = w.whenSettled()
	return w
}

func (w *Workload) container(spec *corev1.Container, list string, i int) *Container {
	c := &Container{Container: spec, Workload: w, Path: fmt.Sprintf("%s.%s[%d]", w.SpecPath, list, i)}
	c.Startup = newProbe(c, StartupProbe, spec.StartupProbe)
	c.Readiness = newProbe(c, ReadinessProbe, spec.ReadinessProbe)
	c.Liveness = newProbe(c, LivenessProbe, spec.LivenessProbe)
	return c
}

// Grace is terminationGracePeriodSeconds of the pod, in seconds, with the default (R178).
func (w *Workload) Grace() int { return int(*w.Spec.TerminationGracePeriodSeconds) }

// RunsUntilStopped reports whether the pods are meant to run until something stops them, unlike
// those of a Job.
func (w *Workload) RunsUntilStopped() bool {
	kind := w.Object.Ref().Kind
	return kind != "Job" && kind != "CronJob" && (kind != "Pod" || w.Spec.RestartPolicy == corev1.RestartPolicyAlways)
}

// Traffic are the Services that send requests to the pods as long as they are ready: not those for
// metrics alone, nor those that publish addresses of unready pods too (R195), nor the one that
// gives a StatefulSet's pods their names.
func (w *Workload) Traffic() []*Service { return w.traffic }

// isInjected reports whether an admission webhook fills the container in: so are Istio's gateways
// written, and what people change of its sidecars.
func isInjected(c *corev1.Container) bool { return c.Image == "auto" }

// isInjectedGateway reports whether what serves in the pod comes from a webhook.
func (w *Workload) isInjectedGateway() bool {
	injected := 0
	for i := range w.Spec.Containers {
		if isInjected(&w.Spec.Containers[i]) {
			injected++
		}
	}
	return injected == len(w.Spec.Containers) || injected > 0 && mentions(w.Meta.Annotations["inject.istio.io/templates"], "gateway")
}

// IsFragment reports whether this is a piece of a manifest: it has no containers, or one without an
// image, as a kustomize patch has, or it is a gateway that a webhook fills in. What is absent from
// it may come from another piece. What is there but cannot be decoded is not absent.
func (w *Workload) IsFragment() bool {
	for i, c := range w.Spec.Containers {
		if c.Image == "" && !w.Object.Has(fmt.Sprintf("%s.containers[%d].image", w.SpecPath, i)) {
			return true
		}
	}
	return len(w.Spec.Containers) == 0 || w.isInjectedGateway()
}

// Probes are those of all containers, one container after the other, in the order in which the
// kubelet makes their workers (R3).
func (w *Workload) Probes() []*Probe {
	var list []*Probe
	for _, c := range w.Containers {
		list = append(list, c.Probes()...)
	}
	return list
}

// Probes are the container's.
func (c *Container) Probes() []*Probe {
	return slices.DeleteFunc([]*Probe{c.Startup, c.Readiness, c.Liveness}, func(p *Probe) bool { return p == nil })
}

// Backends are those of the workload's backends that lead to this container.
func (c *Container) Backends() []Backend {
	return slices.DeleteFunc(slices.Clone(c.Workload.Backends), func(b Backend) bool { return b.Container != c })
}

// CPULimit is the limit in thousandths of a CPU, or 0 if there is none.
func (c *Container) CPULimit() int {
	limit, ok := c.Resources.Limits[corev1.ResourceCPU]
	if !ok {
		return 0
	}
	return int(limit.MilliValue())
}

// PortNumbered is the container's port for TCP of that number.
func (c *Container) PortNumbered(number int32) (corev1.ContainerPort, bool) {
	i := slices.IndexFunc(c.Ports, func(p corev1.ContainerPort) bool {
		return p.ContainerPort == number && (p.Protocol == corev1.ProtocolTCP || p.Protocol == "")
	})
	if i < 0 {
		return corev1.ContainerPort{}, false
	}
	return c.Ports[i], true
}

// PortNamed is the container's port of that name, whatever its protocol (R76).
func (c *Container) PortNamed(name string) (corev1.ContainerPort, bool) {
	i := slices.IndexFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == name })
	if i < 0 || name == "" {
		return corev1.ContainerPort{}, false
	}
	return c.Ports[i], true
}

// Finding makes a finding about the whole workload. field is a path in the object; if the object
// does not have it, the nearest field around it is shown.
func (w *Workload) Finding(field, format string, args ...any) Finding {
	return Finding{Object: w.Object.Ref(), Field: field, Message: fmt.Sprintf(format, args...), subject: &w.Object}
}

// Finding makes a finding about the container. field is a path in the container; empty means the
// container itself.
func (c *Container) Finding(field, format string, args ...any) Finding {
	path := c.Path
	if field != "" {
		path += "." + field
	}
	f := c.Workload.Finding(path, format, args...)
	f.Container, f.container = c.Name, c.Path
	return f
}

// FindingIn makes a finding about a field of the object, and about the container that the field is
// in, if there is one.
func (w *Workload) FindingIn(field, format string, args ...any) Finding {
	f := w.Finding(field, format, args...)
	for _, c := range slices.Concat(w.Containers, w.PlainInit) {
		if strings.HasPrefix(field, c.Path+".") {
			f.Container, f.container = c.Name, c.Path
		}
	}
	return f
}
