package live

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
)

// listeners are where the processes of a Pod were seen to listen.
type listeners struct {
	at    time.Time
	found map[string][]netip.AddrPort
}

// lastWords are what an instance printed last. They do not change.
type lastWords struct {
	instance int
	text     string
}

// facts are what is known of a Pod. The caller holds the lock.
func (h *hub) facts(pod *corev1.Pod, now time.Time) diagnosis.Facts {
	past := h.pastOf(pod)
	f := diagnosis.Facts{Now: now, Pod: pod, Containers: map[string]diagnosis.Container{}, Workload: h.workloadOf(pod), Services: h.servicesOf(pod)}
	if h.run.Place != nil {
		f.Place = func(field string) string { return h.run.Place(pod, field) }
	}
	f.HasService = func(name string) bool { return h.services[pod.Namespace+"/"+name] != nil }
	f.InFlight = h.rates.inFlight[pod.UID]
	for _, c := range lifecycle.Containers(&pod.Spec) {
		f.Containers[c.Name] = h.container(pod, c, past)
	}
	report := h.reports[key(pod)]
	if report == nil {
		return f
	}
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if s.State.Running == nil {
			continue
		}
		for _, t := range lifecycle.ProbeTypes() {
			i := slices.IndexFunc(report.Probes, func(r node.ProbeRecord) bool { return r.Container == s.Name && r.Type == t })
			if i >= 0 {
				f.Probes = append(f.Probes, factsOf(report.Probes[i], past.probes[probeKey{s.Name, t}]))
			}
		}
	}
	return f
}

// factsOf are the facts of one probe.
func factsOf(r node.ProbeRecord, past *probePast) diagnosis.Probe {
	p := diagnosis.Probe{
		Container: r.Container, Type: r.Type, At: r.Time.Time, Took: r.Latency, Output: r.Output, Run: r.Run, Threshold: r.Threshold, Over: r.Hold,
		Failed: r.Outcome == "failure", Unevaluated: r.Outcome == "error",
		Passing: r.Result == lifecycle.ResultSuccess, Known: r.Result != lifecycle.ResultUnknown,
	}
	p.EverPassed = p.Passing || !p.Failed && !p.Unevaluated
	if past != nil {
		p.EverPassed, p.FailingSince = p.EverPassed || past.passed, past.failingSince
	}
	if p.Type == lifecycle.Readiness && !p.EverPassed && p.Failed {
		p.Attempts = r.Run
	}
	return p
}

func (h *hub) container(pod *corev1.Pod, c *corev1.Container, past *past) diagnosis.Container {
	out := diagnosis.Container{Ports: portsOf(pod, c), Stopping: pod.Annotations[node.AnnotationStopping+c.Name] != ""}
	out.PID, _ = strconv.Atoi(pod.Annotations[node.AnnotationPID+c.Name]) // 0 if there is none
	if found, ok := past.looked.found[c.Name]; ok {
		out.Listeners, out.Looked = found, true
	}
	if words, ok := past.words[c.Name]; ok {
		out.LastWords = words.text
	}
	if run, ok := past.runs[c.Name]; ok {
		out.Ran = run
	}
	return out
}

// portsOf are the ports of a container, as they are declared and where they are here.
func portsOf(pod *corev1.Pod, c *corev1.Container) []diagnosis.Port {
	private := map[int]int{}
	for pair := range strings.SplitSeq(pod.Annotations[manifest.AnnotationPrivatePorts+c.Name], ",") {
		declared, actual, _ := strings.Cut(pair, ":")
		from, err := strconv.Atoi(declared)
		to, err2 := strconv.Atoi(actual)
		if err == nil && err2 == nil {
			private[from] = to
		}
	}
	var ports []diagnosis.Port
	for _, p := range c.Ports {
		port := diagnosis.Port{Name: p.Name, Declared: int(p.ContainerPort), Actual: int(p.ContainerPort)}
		if actual, ok := private[port.Declared]; ok {
			port.Actual = actual
		}
		ports = append(ports, port)
	}
	return ports
}

// workloadID names what a Pod is a replica of: "Deployment/default/web"; "" for a Pod of its own.
func (h *hub) workloadID(pod *corev1.Pod) string {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return ""
	}
	if set := h.replicaSets[pod.Namespace+"/"+owner.Name]; owner.Kind == "ReplicaSet" && set != nil {
		if above := metav1.GetControllerOf(set); above != nil {
			owner = above
		}
	}
	return owner.Kind + "/" + pod.Namespace + "/" + owner.Name
}

func (h *hub) workloadOf(pod *corev1.Pod) diagnosis.Workload {
	kind, rest, _ := strings.Cut(h.workloadID(pod), "/")
	_, name, _ := strings.Cut(rest, "/")
	w := diagnosis.Workload{Kind: kind, Name: name}
	switch kind {
	case "Deployment":
		d := h.deployments[rest]
		if d == nil {
			return w
		}
		w.Desired, w.Ready = int(valueOr(d.Spec.Replicas, 1)), int(d.Status.ReadyReplicas)
		if h.rolling(d) {
			w.Rollout, _ = strconv.Atoi(d.Annotations[revisionAnnotation]) // 0 if there is none
			if limit := d.Spec.ProgressDeadlineSeconds; limit != nil {
				w.Deadline = progressed(d).Add(time.Duration(*limit) * time.Second)
			}
		}
	case "StatefulSet":
		if s := h.statefulSets[rest]; s != nil {
			w.Desired, w.Ready = int(valueOr(s.Spec.Replicas, 1)), int(s.Status.ReadyReplicas)
		}
	case "ReplicaSet":
		if s := h.replicaSets[rest]; s != nil {
			w.Desired, w.Ready = int(valueOr(s.Spec.Replicas, 1)), int(s.Status.ReadyReplicas)
		}
	}
	return w
}

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// servicesOf are the names of the Services that select a Pod.
func (h *hub) servicesOf(pod *corev1.Pod) []string {
	var names []string
	for _, s := range h.services {
		if s.Namespace == pod.Namespace && len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pod.Labels)) {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return names
}

const (
	// lookPause is how long what is known of listeners is good for.
	lookPause = 3 * time.Second
	// lookTime is how long it may take to ask for them.
	lookTime = 200 * time.Millisecond
	// looks is how many Pods are asked at a time: others follow.
	looks = 3
)

// look asks where those Pods listen whose probes find nobody, and what those printed last that have
// ended. It is called without the lock, as it takes a while.
func (h *hub) look(ctx context.Context, now time.Time) {
	h.mu.Lock()
	var refused, ended []*corev1.Pod
	for _, pod := range h.pods {
		past := h.pastOf(pod)
		if report := h.reports[key(pod)]; report != nil && now.Sub(past.looked.at) >= lookPause && slices.ContainsFunc(report.Probes, isRefusal) {
			refused = append(refused, pod)
		}
		if h.missesWords(pod, past) {
			ended = append(ended, pod)
		}
	}
	h.mu.Unlock()
	if h.run.Listeners != nil {
		for _, pod := range refused[:min(len(refused), looks)] {
			h.lookForListeners(ctx, pod, now)
		}
	}
	if h.run.LogFiles != nil {
		for _, pod := range ended[:min(len(ended), looks)] {
			h.readWords(pod)
		}
	}
}

func isRefusal(r node.ProbeRecord) bool {
	return r.Outcome == "failure" && strings.Contains(r.Output, "connection refused")
}

func (h *hub) lookForListeners(ctx context.Context, pod *corev1.Pod, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	found, err := h.run.Listeners(ctx, pod.UID)
	if err != nil {
		found = nil // the Pod has ended, or the system does not tell: the advice does without
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	past := h.pastOf(pod)
	past.looked = listeners{now, found}
	past.version++
}

// endedInstance is the number of the instance of a container that ended last; false if none did.
func endedInstance(s *corev1.ContainerStatus) (int, bool) {
	switch {
	case s.State.Terminated != nil:
		return int(s.RestartCount), true
	case s.State.Running == nil && s.LastTerminationState.Terminated != nil:
		return int(s.RestartCount), true
	case s.State.Running != nil && s.RestartCount > 0:
		return int(s.RestartCount) - 1, true
	}
	return 0, false
}

func (h *hub) missesWords(pod *corev1.Pod, past *past) bool {
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if n, ok := endedInstance(&s); ok {
			if words, known := past.words[s.Name]; !known || words.instance != n {
				return true
			}
		}
	}
	return false
}

func (h *hub) readWords(pod *corev1.Pod) {
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		n, ok := endedInstance(&s)
		if !ok {
			continue
		}
		text, err := lastLine(h.run.LogFiles, pod, s.Name, n)
		if err != nil {
			text = "" // the log page says why it cannot be read
		}
		h.mu.Lock()
		past := h.pastOf(pod)
		if past.words == nil {
			past.words, past.runs = map[string]lastWords{}, map[string]time.Duration{}
		}
		past.words[s.Name] = lastWords{n, text}
		past.version++
		h.mu.Unlock()
	}
}

// rates are what the proxy has counted, and how fast it goes.
type rates struct {
	at       time.Time
	requests map[string]uint64 // by Service port
	perSec   map[string]float64
	inFlight map[types.UID]int
}
