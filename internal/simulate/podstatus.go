package simulate

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// gone is what is said of a Pod whose object goes.
const gone = "gone"

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
	if p.gone {
		p.w.drop(p)
		if p.w.timeline != nil {
			p.note(Entry{Kind: KindReady, Text: gone, Ready: new(false)})
		}
	}
	p.w.unrouted = true
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
	if p.object.DeletionTimestamp != nil {
		return
	}
	now := p.w.time(p.w.now)
	object := *p.object
	object.DeletionTimestamp = new(metav1.NewTime(now))
	p.object = &object
	p.w.unrouted = true
	p.on(lifecycle.Deleted{Grace: time.Duration(valueOr(p.object.Spec.TerminationGracePeriodSeconds, 30)) * time.Second})
}
