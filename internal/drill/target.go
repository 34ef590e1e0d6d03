package drill

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// target is a workload to drill.
type target struct {
	Workload
	namespace string
	live      store.Object // of a system that runs, as the drill knows it
	kind      string
	object    string            // its name
	meta      metav1.ObjectMeta // of the template
	spec      *corev1.PodSpec
	named     []namedService
}

// targetsOf finds the workloads of manifests: Deployments, StatefulSets, ReplicaSets and Pods, each
// with the first Service that leads to it.
func targetsOf(objects []manifest.Object) (all []*target) {
	for _, o := range objects {
		t := &target{namespace: o.Resource.GetNamespace()}
		path := "spec.template.spec"
		switch r := o.Resource.(type) {
		case *appsv1.Deployment:
			t.kind, t.meta, t.spec, t.Replicas = "deployment", r.Spec.Template.ObjectMeta, &r.Spec.Template.Spec, replicas(r.Spec.Replicas)
			t.MinReady = Offset(r.Spec.MinReadySeconds) * Offset(time.Second)
		case *appsv1.StatefulSet:
			t.kind, t.meta, t.spec, t.Replicas = "statefulset", r.Spec.Template.ObjectMeta, &r.Spec.Template.Spec, replicas(r.Spec.Replicas)
			t.MinReady = Offset(r.Spec.MinReadySeconds) * Offset(time.Second)
		case *appsv1.ReplicaSet:
			t.kind, t.meta, t.spec, t.Replicas = "replicaset", r.Spec.Template.ObjectMeta, &r.Spec.Template.Spec, replicas(r.Spec.Replicas)
		case *corev1.Pod:
			t.kind, t.meta, t.spec, t.Replicas = "pod", r.ObjectMeta, &r.Spec, 1
			path = "spec"
		default:
			continue
		}
		if t.Replicas == 0 || t.spec.RestartPolicy != corev1.RestartPolicyAlways && t.spec.RestartPolicy != "" {
			continue // it does a piece of work, and is no service
		}
		t.object, t.live = o.Resource.GetName(), o.Resource
		t.Name = t.kind + "/" + t.object
		if t.namespace != metav1.NamespaceDefault {
			t.Name = t.namespace + "/" + t.Name
		}
		t.describe(o, path)
		t.findService(objects)
		t.findNamed(objects)
		all = append(all, t)
	}
	return all
}

func replicas(n *int32) int {
	if n == nil {
		return 1
	}
	return int(*n)
}

// describe fills in the containers and their probes.
func (t *target) describe(o manifest.Object, path string) {
	best := 0
	for i := range t.spec.Containers {
		if probes(&t.spec.Containers[i]) > probes(&t.spec.Containers[best]) {
			best = i
		}
	}
	for i := range t.spec.Containers {
		c := t.container(o, &t.spec.Containers[i], fmt.Sprintf("%s.containers[%d]", path, i))
		if i == best {
			t.Workload = t.of(c)
		} else {
			t.Beside = append(t.Beside, c)
		}
	}
	for i := range t.spec.InitContainers {
		c := &t.spec.InitContainers[i]
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			t.Beside = append(t.Beside, t.container(o, c, fmt.Sprintf("%s.initContainers[%d]", path, i)))
		}
	}
}

// container describes one of them.
func (t *target) container(o manifest.Object, c *corev1.Container, path string) Container {
	at := o.PositionOf(path)
	d := Container{Name: c.Name, File: at.File, Line: at.Line}
	grace := int64(corev1.DefaultTerminationGracePeriodSeconds)
	if t.spec.TerminationGracePeriodSeconds != nil {
		grace = *t.spec.TerminationGracePeriodSeconds
	}
	if c.LivenessProbe != nil && c.LivenessProbe.TerminationGracePeriodSeconds != nil {
		grace = *c.LivenessProbe.TerminationGracePeriodSeconds // of restarts that it decides
	}
	d.Grace = Offset(grace) * Offset(time.Second)
	for _, p := range []struct {
		kind  lifecycle.ProbeType
		field string
		probe *corev1.Probe
	}{{lifecycle.Startup, "startupProbe", c.StartupProbe}, {lifecycle.Readiness, "readinessProbe", c.ReadinessProbe}, {lifecycle.Liveness, "livenessProbe", c.LivenessProbe}} {
		if p.probe != nil {
			d.Probes = append(d.Probes, describeProbe(string(p.kind), p.probe, o.PositionOf(path+"."+p.field)))
		}
	}
	return d
}

// of is a workload whose faults happen to a container.
func (w Workload) of(c Container) Workload {
	w.Container, w.Probes, w.Grace, w.File, w.Line = c.Name, c.Probes, c.Grace, c.File, c.Line
	return w
}

// seenBy is a workload as a fault sees it that happens to one of its containers.
func (w Workload) seenBy(f Fault) Workload {
	i := slices.IndexFunc(w.Beside, func(c Container) bool { return c.Name == f.Container })
	if i < 0 {
		return w
	}
	first := Container{w.Container, w.Probes, w.Grace, w.File, w.Line}
	beside := slices.Clone(w.Beside)
	w = w.of(beside[i])
	beside[i] = first
	w.Beside = beside
	return w
}

// seenBy is a target as a fault sees it that happens to one of its containers.
func (t *target) seenBy(f Fault) *target {
	seen := *t
	seen.Workload = t.Workload.seenBy(f)
	return &seen
}

func describeProbe(kind string, p *corev1.Probe, at manifest.Position) Probe {
	seconds := func(n int32) Offset { return Offset(n) * Offset(time.Second) }
	d := Probe{
		Type: kind, Asks: asks(p), Delay: seconds(p.InitialDelaySeconds), Period: seconds(cmp.Or(p.PeriodSeconds, 10)), Timeout: seconds(cmp.Or(p.TimeoutSeconds, 1)),
		Failures: int(cmp.Or(p.FailureThreshold, 3)), Successes: int(cmp.Or(p.SuccessThreshold, 1)), File: at.File, Line: at.Line,
	}
	d.Tolerated = Offset(d.timing().Tolerated())
	return d
}

// asks is what a probe asks.
func asks(p *corev1.Probe) string {
	switch {
	case p.HTTPGet != nil:
		return "GET " + p.HTTPGet.Path
	case p.TCPSocket != nil:
		return "TCP " + p.TCPSocket.Port.String()
	case p.GRPC != nil:
		return fmt.Sprintf("gRPC %d", p.GRPC.Port)
	case p.Exec != nil:
		return "exec " + strings.Join(p.Exec.Command, " ")
	}
	return ""
}

func probes(c *corev1.Container) (n int) {
	for _, p := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if p != nil {
			n++
		}
	}
	return n
}

// findService finds the first Service that leads to the Pods, and the first of its ports that
// carries TCP.
func (t *target) findService(objects []manifest.Object) {
	for _, o := range objects {
		s, ok := o.Resource.(*corev1.Service)
		if !ok || s.Namespace != t.namespace || len(s.Spec.Selector) == 0 || s.Spec.ClusterIP == corev1.ClusterIPNone {
			continue
		}
		if !labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(t.meta.Labels)) {
			continue
		}
		i := slices.IndexFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return p.Protocol == corev1.ProtocolTCP || p.Protocol == "" })
		if i >= 0 {
			t.Service, t.Port = s.Name, s.Spec.Ports[i].Port
			return
		}
	}
}

// containers are all that go on running, the one that faults happen to first.
func (w *Workload) containers() []Container {
	return append([]Container{{w.Container, w.Probes, w.Grace, w.File, w.Line}}, w.Beside...)
}

// probe finds a probe of the container by its type; nil if it has none.
func (w *Workload) probe(kind lifecycle.ProbeType) *Probe { return probeOf(w.Probes, kind) }

func probeOf(probes []Probe, kind lifecycle.ProbeType) *Probe {
	for i := range probes {
		if probes[i].Type == string(kind) {
			return &probes[i]
		}
	}
	return nil
}

func (w *Workload) liveness() *Probe { return w.probe(lifecycle.Liveness) }

func (w *Workload) readiness() *Probe { return w.probe(lifecycle.Readiness) }

// slowest is the longest that a liveness probe of any of the containers takes at most, so that it
// is known who was restarted, and who was not; 0 if none has one.
func (w *Workload) slowest() time.Duration {
	worst := time.Duration(0)
	for _, c := range w.containers() {
		worst = max(worst, probeOf(c.Probes, lifecycle.Liveness).worst())
	}
	return worst
}

// notices is the readiness probe that takes a Pod out of its Service when the container fails, and
// whose it is: its own, or else the slowest that another container has, as a Pod is ready only if
// all of them are. nil if there is none.
func (w *Workload) notices() (p *Probe, container string) {
	if p = w.readiness(); p != nil {
		return p, w.Container
	}
	for _, c := range w.Beside {
		if r := probeOf(c.Probes, lifecycle.Readiness); r.worst() > p.worst() {
			p, container = r, c.Name
		}
	}
	return p, container
}

// worst is how long a probe takes at most to act on a service that stops answering, A + P; 0 if
// there is none.
func (p *Probe) worst() time.Duration {
	if p == nil {
		return 0
	}
	return p.timing().Certain()
}

// owns reports whether the manifest declares a dependency as one without which the service is of
// no use.
func (t *target) owns(dependency string) bool {
	return t.meta.Annotations[manifest.AnnotationDependency+dependency] == manifest.DependencyOwned
}

// deadlocks are the containers of which the manifest says how a loop is made to hang.
func (t *target) deadlocks() (containers []string) {
	for key := range t.meta.Annotations {
		if name, ok := strings.CutPrefix(key, manifest.AnnotationDeadlock); ok {
			containers = append(containers, name)
		}
	}
	return containers
}

// deadlockCommand is how the manifest has the container hang by itself; "" if it does not say.
func (t *target) deadlockCommand() string {
	return t.meta.Annotations[manifest.AnnotationDeadlock+t.Container]
}

// has reports whether a workload has a container that goes on running.
func (w *Workload) has(container string) bool {
	return w.Container == container || slices.ContainsFunc(w.Beside, func(c Container) bool { return c.Name == container })
}

// is reports whether a workload is meant by a name, as in "deployment/web" or "web".
func (w *Workload) is(name string) bool {
	return w.Name == name || strings.HasSuffix(w.Name, "/"+name)
}

// containerPort is the first port that the container declares; 0 if there is none.
func (t *target) containerPort() int32 {
	for _, c := range t.spec.Containers {
		if c.Name == t.Container && len(c.Ports) > 0 {
			return c.Ports[0].ContainerPort
		}
	}
	return 0
}

// keepOnly leaves the targets of some names, or all if there are no names; others are the rest.
func keepOnly(targets []*target, only []string) (kept, others []*target, err error) {
	for _, name := range only {
		if !slices.ContainsFunc(targets, func(t *target) bool { return t.is(name) }) {
			var known []string
			for _, t := range targets {
				known = append(known, t.Name)
			}
			return nil, nil, fmt.Errorf("cannot drill only %q: there is no such workload, but %s", name, strings.Join(known, ", "))
		}
	}
	for _, t := range targets {
		if len(only) == 0 || slices.ContainsFunc(only, t.is) {
			kept = append(kept, t)
		} else {
			others = append(others, t)
		}
	}
	return kept, others, nil
}
