package trace

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/test/differential/ledger"
)

// Gather makes a trace of what was seen.
func Gather(r Recorded) Trace {
	g := &gatherer{
		builder: builder{map[string]*Track{}}, names: newNames(&r), began: r.began(),
		occurrences: map[string]int32{}, instances: map[string]int{}, pods: map[string]*corev1.Pod{}, slices: map[string]*discoveryv1.EndpointSlice{},
	}
	for _, o := range r.Observations {
		g.observe(o)
	}
	end := r.End.Sub(g.began).Seconds()
	for pod, lines := range r.Ledgers {
		if _, owned := g.names.pods[pod]; !owned {
			g.read(pod, lines)
		}
	}
	return Trace{Scenario: r.Scenario, System: r.System, Period: r.Period, Seconds: end, Tracks: g.sorted(end)}
}

type gatherer struct {
	builder
	names       *names
	began       time.Time
	occurrences map[string]int32 // of Events, by name
	instances   map[string]int   // processes of containers, by Events
	pods        map[string]*corev1.Pod
	slices      map[string]*discoveryv1.EndpointSlice
}

func (g *gatherer) since(t time.Time) float64 { return t.Sub(g.began).Seconds() }

func (g *gatherer) observe(o Observation) {
	at := g.since(o.At)
	switch object := o.Object.(type) {
	case *corev1.Event:
		g.event(at, object)
	case *corev1.Pod:
		g.pods[object.Name] = object
		if o.Type == watch.Deleted {
			delete(g.pods, object.Name)
		}
		if revision := g.names.pods[object.Name]; revision != "" {
			g.revision(at, revision)
			return
		}
		if o.Type == watch.Deleted {
			g.level(object.Name+" phase", at, gone)
			return
		}
		g.status(at, object)
	case *discoveryv1.EndpointSlice:
		g.slices[object.Name] = object
		if o.Type == watch.Deleted {
			delete(g.slices, object.Name)
		}
		g.endpoints(at, object.Labels[discoveryv1.LabelServiceName])
	case *appsv1.Deployment:
		for _, c := range object.Status.Conditions {
			g.level("Deployment/"+object.Name+" condition "+string(c.Type), at, words(string(c.Status), c.Reason, g.names.text(c.Message)))
		}
	}
}

func words(parts ...string) string { return strings.TrimSpace(strings.Join(parts, " ")) }

// event adds as many occurrences as an Event tells since it was seen last (R221).
func (g *gatherer) event(at float64, e *corev1.Event) {
	count := max(e.Count, 1)
	if e.Series != nil {
		count = max(count, e.Series.Count)
	}
	news := count - g.occurrences[e.Name]
	g.occurrences[e.Name] = count
	if g.names.pods[e.InvolvedObject.Name] != "" {
		return
	}
	source := cmp.Or(e.Source.Component, e.ReportingController)
	for range news {
		switch e.InvolvedObject.Kind {
		case "Deployment":
			g.add("Deployment/"+e.InvolvedObject.Name+" events", at, words(e.Type, e.Reason, g.names.text(e.Message)))
		case "Pod":
			if source != "default-scheduler" && source != "probity" { // whose Events have no counterpart
				g.podEvent(at, e)
			}
		}
	}
}

// podEvent adds an Event about a Pod to the track of its probe and process, or to the others.
func (g *gatherer) podEvent(at float64, e *corev1.Event) {
	subject := e.InvolvedObject.Name
	field, container, _ := strings.Cut(strings.TrimSuffix(e.InvolvedObject.FieldPath, "}"), "{")
	if container != "" {
		subject += "/" + container
	}
	text := words(e.Type, e.Reason, g.names.text(e.Message))
	if field == "spec.initContainers" {
		text += " (init)"
	}
	if e.Reason == "Started" {
		g.instances[subject]++
	}
	if kind, _, _ := strings.Cut(e.Message, " "); (e.Reason == "Unhealthy" || e.Reason == "ProbeWarning") && kind != "" {
		g.add(fmt.Sprintf("%s#%d %s", subject, g.instances[subject], kind), at, text)
		return
	}
	g.add(subject+" events", at, text)
}

// status adds what a Pod's status says.
func (g *gatherer) status(at float64, pod *corev1.Pod) {
	phase := string(pod.Status.Phase)
	g.level(pod.Name+" phase", at, phase)
	for _, c := range pod.Status.Conditions {
		switch c.Type {
		case corev1.PodReady, corev1.ContainersReady, corev1.PodInitialized:
			g.level(pod.Name+" condition "+string(c.Type), at, words(string(c.Status), c.Reason, g.names.text(c.Message)))
		}
	}
	for _, s := range append(pod.Status.InitContainerStatuses[:len(pod.Status.InitContainerStatuses):len(pod.Status.InitContainerStatuses)], pod.Status.ContainerStatuses...) {
		g.container(at, pod.Name+"/"+s.Name+" state ", s)
	}
}

func (g *gatherer) container(at float64, prefix string, s corev1.ContainerStatus) {
	g.level(prefix+"ready", at, fmt.Sprint(s.Ready))
	g.level(prefix+"started", at, fmt.Sprint(s.Started != nil && *s.Started))
	if w := s.State.Waiting; w != nil && w.Reason == "PostStartHookError" {
		g.level(prefix+"waiting", at, w.Reason) // its message is not part of the rules
	} else if w != nil && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
		g.level(prefix+"waiting", at, words(w.Reason, g.names.text(w.Message)))
	} else if g.tracks[prefix+"waiting"] != nil {
		g.level(prefix+"waiting", at, noMore)
	}
	// The process before this one is in the last state, unless this one has not been started anew.
	if t := s.LastTerminationState.Terminated; t != nil && s.RestartCount > 0 && s.State.Running != nil {
		g.level(prefix+"terminated", at, ended(s.RestartCount, t))
	}
	if t := s.State.Terminated; t != nil {
		g.level(prefix+"terminated", at, ended(s.RestartCount+1, t))
	}
}

func ended(instance int32, t *corev1.ContainerStateTerminated) string {
	return words(fmt.Sprintf("#%d exit code %d", instance, t.ExitCode), t.Reason, t.Message)
}

// revision counts the Pods of a revision, without those that are being deleted.
func (g *gatherer) revision(at float64, revision string) {
	alive, ready := 0, 0
	for name, pod := range g.pods {
		if g.names.pods[name] != revision || pod.DeletionTimestamp != nil {
			continue
		}
		alive++
		if isReady(pod) {
			ready++
		}
	}
	g.level(revision+" pods", at, fmt.Sprintf("%d, %d ready", alive, ready))
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// endpoints counts a Service's endpoints by their conditions (R194).
func (g *gatherer) endpoints(at float64, service string) {
	total, ready, serving, terminating := 0, 0, 0, 0
	count := func(n *int, condition *bool) {
		if condition != nil && *condition {
			*n++
		}
	}
	for _, s := range g.slices {
		if s.Labels[discoveryv1.LabelServiceName] != service {
			continue
		}
		for _, e := range s.Endpoints {
			total++
			count(&ready, e.Conditions.Ready)
			count(&serving, e.Conditions.Serving)
			count(&terminating, e.Conditions.Terminating)
		}
	}
	g.level("Service/"+service+" endpoints", at, fmt.Sprintf("%d: %d ready, %d serving, %d terminating", total, ready, serving, terminating))
}

// read adds a Pod's ledger.
func (g *gatherer) read(pod string, lines []ledger.Line) {
	last := map[string]float64{} // when a process was last known to be alive after SIGTERM
	ended := map[string]bool{}   // by itself
	for _, l := range lines {
		subject, at := fmt.Sprintf("%s/%s#%d", pod, l.Container, l.Instance), g.since(l.Time())
		switch l.Kind {
		case ledger.Start, ledger.Listen:
			g.add(subject+" life", at, l.Kind)
		case ledger.Signal:
			g.add(subject+" life", at, l.Name)
			last[subject] = at
		case ledger.Alive:
			last[subject] = at
		case ledger.Exit:
			g.add(subject+" life", at, "exit "+l.Value)
			ended[subject] = true
		case ledger.Done:
			// of probes there are many, and their length is none of their own
			if l.Name != "probe" && l.Name != "ready" {
				g.add(subject+" exec "+l.Name, at, "done")
			}
		default:
			g.add(subject+" "+l.Kind+" "+l.Name, at, g.names.text(l.Value))
		}
	}
	// Who said nothing more after SIGTERM was killed, unless watching ended before.
	for subject, at := range last {
		if !ended[subject] {
			g.add(subject+" life", at, "killed")
		}
	}
}
