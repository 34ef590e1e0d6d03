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
	"github.com/probity-run/probity/internal/facts"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
)

// listeners are where the processes of a Pod were seen to listen.
type listeners struct {
	at    time.Time
	found map[string][]netip.AddrPort
}

// known is the memory of the facts of a Pod, for those of the next one: a run has many Pods, and
// each is looked at in every frame.
type known struct {
	containers map[string]diagnosis.Container
	probes     []diagnosis.Probe
}

// facts are what is known of a Pod. They are good until they are asked for again. The caller holds
// the lock.
func (h *hub) facts(pod *corev1.Pod, now time.Time) diagnosis.Facts {
	past := h.readPast(pod)
	clear(h.known.containers)
	f := diagnosis.Facts{Now: now, Pod: pod, Containers: h.known.containers, Workload: h.workloadOf(pod), Services: h.servicesOf(pod)}
	if h.run.Place != nil {
		f.Place = func(field string) string { return h.run.Place(pod, field) }
	}
	f.HasService = func(name string) bool { return h.services[pod.Namespace+"/"+name] != nil }
	f.InFlight = h.rates.inFlight[pod.UID]
	for _, c := range lifecycle.Containers(&pod.Spec) {
		known := facts.Container(pod, c, h.run.History)
		known.Listeners, known.Looked = past.looked.found[c.Name]
		f.Containers[c.Name] = known
	}
	f.Probes = h.probeFacts(pod, past)
	return f
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
	w := diagnosis.Workload{Kind: kind, Name: name, Ready: h.serving[kind+"/"+rest]}
	switch kind {
	case "Deployment":
		d := h.deployments[rest]
		if d == nil {
			return w
		}
		w.Desired = int(valueOr(d.Spec.Replicas, 1))
		w.MinReady = time.Duration(d.Spec.MinReadySeconds) * time.Second
		if h.rolling(d) {
			w.Rollout, _ = strconv.Atoi(d.Annotations[revisionAnnotation]) // 0 if there is none
			if limit := d.Spec.ProgressDeadlineSeconds; limit != nil {
				w.Deadline = progressed(d).Add(time.Duration(*limit) * time.Second)
			}
		}
	case "StatefulSet":
		if s := h.statefulSets[rest]; s != nil {
			w.Desired = int(valueOr(s.Spec.Replicas, 1))
			w.MinReady = time.Duration(s.Spec.MinReadySeconds) * time.Second
		}
	case "ReplicaSet":
		if s := h.replicaSets[rest]; s != nil {
			w.Desired = int(valueOr(s.Spec.Replicas, 1))
			w.MinReady = time.Duration(s.Spec.MinReadySeconds) * time.Second
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

// look asks where those Pods listen whose probes find nobody. It is called without the lock, as it
// takes a while.
func (h *hub) look(ctx context.Context, now time.Time) {
	if h.run.Listeners == nil {
		return
	}
	h.mu.Lock()
	var refused []*corev1.Pod
	for uid, past := range h.past {
		pod := h.pods[uid]
		if pod == nil || now.Sub(past.looked.at) < lookPause {
			continue
		}
		for _, probe := range past.probes {
			if probe.last.Outcome == history.Failed && strings.Contains(probe.last.Message, "connection refused") {
				refused = append(refused, pod)
				break
			}
		}
	}
	h.mu.Unlock()
	for _, pod := range refused[:min(len(refused), looks)] {
		h.lookForListeners(ctx, pod, now)
	}
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
	if past := h.past[pod.UID]; past != nil {
		past.looked = listeners{now, found}
		past.version++
	}
}

// rates are what the proxy has counted, and how fast it goes.
type rates struct {
	at       time.Time
	requests map[string]uint64 // by Service port
	perSec   map[string]float64
	inFlight map[types.UID]int
}
