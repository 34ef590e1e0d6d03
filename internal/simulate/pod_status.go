package simulate

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/workload"
)

// publish brings the object's status up to date and tells those who read it.
func (p *pod) publish() {
	p.statusChanged = false
	_, was := workload.ReadySince(p.object)
	phase := p.object.Status.Phase
	p.object.Status = p.state.Status(p.cluster.time(p.cluster.now))
	_, is := workload.ReadySince(p.object)
	p.noteStates()
	if was != is || phase != p.object.Status.Phase {
		p.noteReady(is)
	}
	if was != is {
		p.cluster.measures.ready(p, is)
	}
	p.cluster.syncDue = true
	p.cluster.podChanged(watch.Modified, p.object)
	if p.gone {
		p.cluster.podChanged(watch.Deleted, p.object)
		p.cluster.remove(p)
		if p.cluster.timeline != nil {
			p.note(Entry{Kind: EntryReady, Text: TextGone, Ready: new(false)})
		}
	}
	p.endpointChanges()
}

// endpointChanges has the routes follow the Pod.
func (p *pod) endpointChanges() {
	p.endpoints = endpoints{}
	p.cluster.routesDue = true
}

// record notes an Event.
func (p *pod) record(e lifecycle.Record) {
	_, name, _ := strings.Cut(e.FieldPath, "{")
	container := strings.TrimSuffix(name, "}")
	if e.Reason == "BackOff" {
		p.cluster.measures.backoffs++
	}
	p.cluster.eventAdded(corev1.ObjectReference{Kind: "Pod", Name: p.object.Name, UID: p.object.UID, FieldPath: e.FieldPath}, e.Type, e.Reason, e.Message)
	if p.cluster.timeline == nil {
		return
	}
	entry := Entry{Kind: EntryEvent, Container: container, Text: e.Type + " " + e.Reason + " " + e.Message, Event: &Event{e.Type, e.Reason, e.Message}}
	if c := p.container(container); c != nil {
		entry.Instance = c.instance.Number
	}
	p.note(entry)
}

func (p *pod) noteReady(ready bool) {
	if p.cluster.timeline == nil {
		return
	}
	text := string(p.object.Status.Phase) + ", not ready"
	if ready {
		text = string(p.object.Status.Phase) + ", ready"
	}
	p.note(Entry{Kind: EntryReady, Text: text, Ready: &ready})
}

// noteStates notes what is new in the containers' states.
func (p *pod) noteStates() {
	if p.cluster.timeline == nil {
		return
	}
	for _, s := range slices.Concat(p.object.Status.InitContainerStatuses, p.object.Status.ContainerStatuses) {
		c, state := p.container(s.Name), stateOf(s)
		if state == c.noted {
			continue
		}
		c.noted = state
		p.note(Entry{Kind: EntryState, Container: s.Name, Instance: c.instance.Number, Text: state.String(), State: &state})
	}
}

func stateOf(s corev1.ContainerStatus) State {
	state := State{State: "waiting", Started: valueOr(s.Started, false), Ready: s.Ready}
	switch {
	case s.State.Running != nil:
		state.State = "running"
	case s.State.Terminated != nil:
		state.State, state.Reason = "terminated", s.State.Terminated.Reason
	case s.State.Waiting != nil:
		state.Reason = s.State.Waiting.Reason
	}
	return state
}

// String gives "running, started, ready" or "waiting (CrashLoopBackOff)".
func (s State) String() string {
	text := s.State
	if s.Reason != "" {
		text += " (" + s.Reason + ")"
	}
	if s.Started {
		text += ", started"
	}
	if s.Ready {
		text += ", ready"
	}
	return text
}

// delete asks for the Pod's deletion with its own grace period.
func (p *pod) delete() {
	if p.object.DeletionTimestamp == nil {
		p.deleteWithin(p.grace())
	}
}

func (p *pod) grace() time.Duration {
	return time.Duration(valueOr(p.object.Spec.TerminationGracePeriodSeconds, 30)) * time.Second
}

// deleteWithin asks for the Pod's deletion, or for an earlier one.
func (p *pod) deleteWithin(grace time.Duration) {
	if p.object.DeletionTimestamp == nil {
		object := *p.object
		object.DeletionTimestamp = new(metav1.NewTime(p.cluster.time(p.cluster.now)))
		p.object = &object
		p.cluster.podChanged(watch.Modified, p.object)
	}
	p.endpointChanges()
	p.on(lifecycle.Deleted{Grace: grace})
}
