package simulate

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/lifecycle"
)

// publish brings the object's status up to date and tells those who read it.
func (p *pod) publish() {
	p.dirty = false
	_, was := lifecycle.ReadySince(p.object)
	phase := p.object.Status.Phase
	p.object.Status = p.state.Status(p.w.time(p.w.now))
	_, is := lifecycle.ReadySince(p.object)
	p.noteStates()
	if was != is || phase != p.object.Status.Phase {
		p.noteReady(is)
	}
	if was != is {
		p.w.measures.ready(p, is)
	}
	p.w.unsettled = true
	p.w.podChanged(watch.Modified, p.object)
	if p.gone {
		p.w.podChanged(watch.Deleted, p.object)
		p.w.drop(p)
		if p.w.timeline != nil {
			p.note(Entry{Kind: KindReady, Text: TextGone, Ready: new(false)})
		}
	}
	p.w.unrouted = true
}

// record notes an Event.
func (p *pod) record(e lifecycle.Record) {
	_, name, _ := strings.Cut(e.FieldPath, "{")
	container := strings.TrimSuffix(name, "}")
	if e.Reason == "BackOff" {
		p.w.measures.backoffs++
	}
	p.w.eventAdded(corev1.ObjectReference{Kind: "Pod", Name: p.object.Name, UID: p.object.UID, FieldPath: e.FieldPath}, e.Type, e.Reason, e.Message)
	if p.w.timeline == nil {
		return
	}
	entry := Entry{Kind: KindEvent, Container: container, Text: e.Type + " " + e.Reason + " " + e.Message, Event: &Event{e.Type, e.Reason, e.Message}}
	if b := p.box(container); b != nil {
		entry.Instance = b.instance.Number
	}
	p.note(entry)
}

func (p *pod) noteReady(ready bool) {
	if p.w.timeline == nil {
		return
	}
	text := string(p.object.Status.Phase) + ", not ready"
	if ready {
		text = string(p.object.Status.Phase) + ", ready"
	}
	p.note(Entry{Kind: KindReady, Text: text, Ready: &ready})
}

// noteStates notes what is new in the containers' states.
func (p *pod) noteStates() {
	if p.w.timeline == nil {
		return
	}
	for _, s := range slices.Concat(p.object.Status.InitContainerStatuses, p.object.Status.ContainerStatuses) {
		b, state := p.box(s.Name), stateOf(s)
		if state == b.shown {
			continue
		}
		b.shown = state
		p.note(Entry{Kind: KindState, Container: s.Name, Instance: b.instance.Number, Text: state.String(), State: &state})
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
		object.DeletionTimestamp = new(metav1.NewTime(p.w.time(p.w.now)))
		p.object = &object
		p.w.podChanged(watch.Modified, p.object)
	}
	p.w.unrouted = true
	p.on(lifecycle.Deleted{Grace: grace})
}
