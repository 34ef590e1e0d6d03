package clusterdash

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/store"
)

// past makes the past of Pods of what is seen of them: of their statuses as they change, and of
// what Events tell of their probes. It belongs to one goroutine; others read its recorder.
type past struct {
	recorder history.Recorder
	pods     map[types.UID]*podPast
}

// podPast is what was recorded of a Pod.
type podPast struct {
	*history.Pod
	version   string                      // of the Pod that was seen last
	instances map[string]history.Instance // the newest that ended, by container
	known     map[instance]bool           // those that are recorded; true if their end is
	told      map[types.UID]int           // how often an Event had happened
	kills     []kill
}

// instance is one run of a container.
type instance struct {
	container string
	number    int
}

// kill is an Event that tells why a container is stopped.
type kill struct {
	container, cause, probe string
	at                      time.Time
}

func newPast() *past { return &past{pods: map[types.UID]*podPast{}} }

// see takes what there is now. Of a Pod that is new it is recorded since when it is as it is.
func (h *past) see(pods []*corev1.Pod, events []*corev1.Event, now time.Time) {
	there := map[types.UID]*corev1.Pod{}
	for _, pod := range pods {
		there[pod.UID] = pod
		p := h.pods[pod.UID]
		if p == nil {
			p = &podPast{Pod: h.recorder.Add(pod.UID), instances: map[string]history.Instance{}, known: map[instance]bool{}, told: map[types.UID]int{}}
			h.pods[pod.UID] = p
			p.Status(pod.Status, sinceWhen(pod))
			p.version = pod.ResourceVersion
			p.see(pod)
		} else if p.version != pod.ResourceVersion {
			p.Status(pod.Status, now)
			p.version = pod.ResourceVersion
			p.see(pod)
		}
	}
	for uid := range h.pods {
		if there[uid] == nil {
			h.recorder.Remove(uid)
			delete(h.pods, uid)
		}
	}
	for _, event := range ordered(events) {
		if pod := there[event.InvolvedObject.UID]; pod != nil && event.InvolvedObject.Kind == "Pod" {
			h.pods[pod.UID].hear(pod, event)
		}
	}
	for _, p := range h.pods {
		p.blame()
	}
}

// ordered are those Events that are about probes, the oldest first.
func ordered(events []*corev1.Event) []*corev1.Event {
	events = slices.DeleteFunc(slices.Clone(events), func(e *corev1.Event) bool {
		return e.Reason != "Unhealthy" && e.Reason != "ProbeWarning" && e.Reason != "Killing"
	})
	slices.SortFunc(events, func(a, b *corev1.Event) int {
		return cmp.Or(store.LastSeen(a).Compare(store.LastSeen(b)), cmp.Compare(a.Name, b.Name))
	})
	return events
}

// sinceWhen is since when a Pod is surely as it is.
func sinceWhen(pod *corev1.Pod) time.Time {
	since := pod.CreationTimestamp.Time
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.LastTransitionTime.After(since) {
			since = c.LastTransitionTime.Time
		}
	}
	for s := range lifecycle.Statuses(pod) {
		for _, at := range []time.Time{startOf(s), endOf(s)} {
			if at.After(since) {
				since = at
			}
		}
	}
	return since
}

func startOf(s *corev1.ContainerStatus) time.Time {
	if s.State.Running == nil {
		return time.Time{}
	}
	return s.State.Running.StartedAt.Time
}

func endOf(s *corev1.ContainerStatus) time.Time {
	if s.State.Terminated == nil {
		return time.Time{}
	}
	return s.State.Terminated.FinishedAt.Time
}

// see records the instances of containers that a status tells of.
func (p *podPast) see(pod *corev1.Pod) {
	for s := range lifecycle.Statuses(pod) {
		restarts := int(s.RestartCount)
		if last := s.LastTerminationState.Terminated; last != nil {
			number := max(restarts-1, 0)
			if s.State.Waiting != nil { // for the next one, which does not count yet
				number = restarts
			}
			p.ended(s.Name, number, last)
		}
		switch {
		case s.State.Running != nil:
			p.began(s.Name, restarts, s.State.Running.StartedAt.Time)
		case s.State.Terminated != nil:
			p.ended(s.Name, restarts, s.State.Terminated)
		}
	}
}

func (p *podPast) began(container string, number int, at time.Time) {
	key := instance{container, number}
	if _, ok := p.known[key]; ok {
		return
	}
	p.known[key] = false
	p.Started(history.Instance{Container: container, Number: number, Started: at})
}

func (p *podPast) ended(container string, number int, end *corev1.ContainerStateTerminated) {
	key := instance{container, number}
	if p.known[key] {
		return
	}
	p.known[key] = true
	i := history.Instance{Container: container, Number: number, Started: end.StartedAt.Time, Ended: end.FinishedAt.Time, ExitCode: int(end.ExitCode), Signal: int(end.Signal)}
	p.Ended(i)
	p.instances[container] = i
}

// hear records what an Event tells that it has not told before.
func (p *podPast) hear(pod *corev1.Pod, event *corev1.Event) {
	times := max(int(event.Count), 1)
	if times <= p.told[event.UID] {
		return
	}
	first := p.told[event.UID] == 0
	p.told[event.UID] = times
	said, ok := parseEvent(event)
	if !ok {
		return
	}
	if event.Reason == "Killing" {
		p.kills = append(p.kills, kill{said.container, event.Message, said.probe, store.LastSeen(event)})
		return
	}
	if at := event.FirstTimestamp.Time; first && times > 1 && !at.IsZero() && at.Before(store.LastSeen(event)) {
		p.attempt(pod, said, at)
	}
	p.attempt(pod, said, store.LastSeen(event))
}

// attempt records an attempt that an Event tells of.
func (p *podPast) attempt(pod *corev1.Pod, said toldEvent, at time.Time) {
	_, spec := lifecycle.ProbeOf(&pod.Spec, said.container, lifecycle.ProbeType(said.probe))
	if spec == nil {
		return
	}
	probe := p.Probe(history.Key{Container: said.container, Type: said.probe}, history.Probing{
		Asks: diagnosis.Asked(nil, spec, true), SuccessThreshold: int(spec.SuccessThreshold), FailureThreshold: int(spec.FailureThreshold),
	})
	a := history.Attempt{Time: at, Outcome: said.outcome, Message: said.words, Told: true, Failing: true}
	if a.Outcome == history.Failed && diagnosis.FailureOf(said.words, spec).Word() == "timeout" {
		a.Outcome = history.TimedOut
	}
	for s := range lifecycle.Statuses(pod) {
		if s.Name == said.container {
			a.Instance, a.NotYet = instanceAt(s, at), a.Outcome >= history.Failed && isEarly(pod, s, said.probe, at)
		}
	}
	p.Attempt(probe, a, history.Detail{Message: said.words})
}

// instanceAt is which instance a container had at a time.
func instanceAt(s *corev1.ContainerStatus, at time.Time) int {
	if start := startOf(s); !start.IsZero() && at.Before(start.Add(-time.Second)) {
		return max(int(s.RestartCount)-1, 0)
	}
	return int(s.RestartCount)
}

// isEarly reports whether a failure is one of what has not come up yet: of a container that has not
// started, or was not ready before.
func isEarly(pod *corev1.Pod, s *corev1.ContainerStatus, probe string, at time.Time) bool {
	var changed time.Time
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			changed = c.LastTransitionTime.Time
		}
	}
	switch lifecycle.ProbeType(probe) {
	case lifecycle.Startup:
		return true
	case lifecycle.Readiness:
		return s.Ready && at.Before(changed) || !s.Ready && !changed.After(startOf(s))
	}
	return false
}

// blame notes of instances that have ended for which probe they were stopped.
func (p *podPast) blame() {
	for _, k := range p.kills {
		i, ok := p.instances[k.container]
		if !ok || i.Cause != "" || k.probe == "" || k.at.Before(i.Started) || k.at.After(i.Ended.Add(2*time.Second)) {
			continue
		}
		i.Cause, i.Probe = k.cause, k.probe
		p.instances[k.container] = i
		p.Ended(i)
	}
	if n := len(p.kills) - maxKills; n > 0 {
		p.kills = slices.Clone(p.kills[n:])
	}
}

// maxKills is how many Events that tell of a stop are remembered of a Pod.
const maxKills = 16
