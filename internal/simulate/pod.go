package simulate

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// pod is one simulated Pod: the core, the service that it stands for, and what is to happen to
// both.
type pod struct {
	w        *world
	replica  int         // of its workload, from 0
	object   *corev1.Pod // as it was created, with the newest status
	state    *lifecycle.Pod
	programs Programs
	script   *scripted // the programs, if a script describes them
	skip     skippable // the programs, if they are
	queue    queue
	deadline time.Duration
	boxes    []*box
	attempts uint64
	kubelet  chance
	setUp    bool // its first process was asked for
	dirty    bool // the status differs from the object's
	gone     bool
}

// box is a container and its current instance.
type box struct {
	spec     *corev1.Container
	instance Instance
	id       string
	alive    bool // a process exists
	flights  []flight
	shown    State
}

// flight is an attempt that has not ended.
type flight struct {
	attempt uint64
	probe   lifecycle.ProbeType
	began   time.Duration
}

// createPod makes a Pod and starts it now.
func (w *world) createPod(template *corev1.Pod, replica int) *pod {
	w.made++
	object := template.DeepCopy()
	object.UID = types.UID(fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(w.seed)^uint32(w.seed>>32), w.made))
	object.CreationTimestamp = metav1.NewTime(w.time(w.now))
	object.Status.Phase = corev1.PodPending
	p := &pod{w: w, replica: replica, object: object, state: lifecycle.NewPod(object, w.options), kubelet: newChance(w.seed, "kubelet", fmt.Sprint(w.made))}
	for _, list := range [][]corev1.Container{object.Spec.InitContainers, object.Spec.Containers} {
		for i := range list {
			p.boxes = append(p.boxes, &box{spec: &list[i], shown: State{State: "waiting"}})
		}
	}
	w.pods = append(w.pods, p)
	if w.programs != nil {
		p.programs = w.programs(object, func() time.Duration { return w.now })
	} else {
		p.script = newScripted(w, object, replica)
		p.programs = p.script
		p.expectFaults()
	}
	p.skip, _ = p.programs.(skippable)
	p.expectKubelet()
	w.podChanged(watch.Added, object)
	p.on(lifecycle.Tick{})
	return p
}

func (p *pod) next() time.Duration { return min(p.queue.next(), p.deadline) }

// step does what happens next to the Pod, now.
func (p *pod) step() {
	switch {
	case p.queue.next() > p.deadline:
		if !p.skipSuccesses() {
			p.on(lifecycle.Tick{})
		}
	default:
		it := p.queue.take()
		if it.do != nil {
			it.do()
			return
		}
		p.deliver(it)
	}
}

// deliver hands an event to the core, unless what it is about is over.
func (p *pod) deliver(it item) {
	switch e := it.event.(type) {
	case lifecycle.Started:
		b := p.box(e.Container)
		b.alive = true
		p.w.measures.born(b)
		p.process(b, "started")
		p.answering(b)
	case lifecycle.Exited:
		b := p.box(e.Container)
		if b.id != e.Instance || !b.alive {
			return
		}
		p.exited(b, e)
	case lifecycle.ProbeDone:
		b := p.box(e.Container)
		i := slices.IndexFunc(b.flights, func(f flight) bool { return f.attempt == it.attempt })
		if i < 0 {
			return
		}
		p.landed(b, e, i)
		return
	}
	p.on(it.event)
}

// on feeds the core and carries out what it asks for.
func (p *pod) on(event lifecycle.Event) {
	effects := p.state.On(event, p.w.time(p.w.now))
	p.setDeadline()
	for _, effect := range effects {
		p.carryOut(effect)
	}
	if p.dirty {
		p.publish()
	}
}

func (p *pod) setDeadline() {
	p.deadline = script.Infinity
	if at := p.state.Deadline(); !at.IsZero() {
		p.deadline = max(p.w.since(at), p.w.now)
	}
}

func (p *pod) carryOut(effect lifecycle.Effect) {
	switch e := effect.(type) {
	case lifecycle.StartContainer:
		p.start(e)
	case lifecycle.StopContainer:
		p.stop(e)
	case lifecycle.KillContainer:
		p.process(p.box(e.Container), "SIGKILL")
		p.exit(e.Container, e.Instance, 0, 137, 9)
	case lifecycle.RunProbe:
		p.attempt(e)
	case lifecycle.CancelProbe:
		p.cancel(p.box(e.Container), e.Type)
	case lifecycle.RunHook:
		b := p.box(e.Container)
		answer := p.programs.Hook(b.instance, e.Hook, e.Handler)
		p.process(b, string(e.Hook)+" hook")
		p.put(answer.After, lifecycle.HookDone{Container: e.Container, Instance: e.Instance, Hook: e.Hook, Err: answer.Err})
	case lifecycle.Record:
		p.record(e)
	case lifecycle.StatusChanged:
		p.dirty = true
	case lifecycle.Finished:
		p.gone, p.dirty = true, true
	}
}

func (p *pod) start(e lifecycle.StartContainer) {
	b := p.box(e.Container)
	b.id, b.instance = e.Instance, Instance{Container: e.Container, Number: b.instance.Number + 1, Starts: p.w.now}
	if p.script != nil && !p.setUp {
		p.setUp = true
		b.instance.Starts += newChance(p.w.seed, "setup", fmt.Sprint(p.replica)).draw(p.w.script.PodSetup)
	}
	end := p.programs.Start(b.instance)
	delay := b.instance.Starts - p.w.now
	p.put(delay, lifecycle.Started{Container: e.Container, Instance: e.Instance, At: p.w.time(p.w.now + delay)})
	if end != nil {
		p.exit(e.Container, e.Instance, delay+end.After, end.Code, 0)
	}
}

func (p *pod) stop(e lifecycle.StopContainer) {
	b := p.box(e.Container)
	p.process(b, string(e.Signal))
	if end := p.programs.Stop(b.instance, p.w.now); end.After < script.Infinity {
		p.exit(e.Container, e.Instance, end.After, end.Code, 0)
	}
}

func (p *pod) exit(container, instance string, after time.Duration, code, signal int32) {
	p.put(after, lifecycle.Exited{Container: container, Instance: instance, ExitCode: code, Signal: signal, At: p.w.time(p.w.now + after)})
}

func (p *pod) put(after time.Duration, event lifecycle.Event) {
	p.queue.put(item{at: p.w.now + after, event: event})
}

// exited notes the end of a process, and that what was wrong with it is over.
func (p *pod) exited(b *box, e lifecycle.Exited) {
	b.alive = false
	p.process(b, fmt.Sprintf("exited, code %d", e.ExitCode))
	p.cured(b)
}

func (p *pod) process(b *box, what string) {
	if p.w.timeline != nil {
		p.note(Entry{Kind: KindProcess, Container: b.spec.Name, Instance: b.instance.Number, Text: what})
	}
}

func (p *pod) note(e Entry) {
	e.At, e.Pod = Offset(p.w.now), p.object.Name
	p.w.timeline.add(e)
}

func (p *pod) box(container string) *box {
	for _, b := range p.boxes {
		if b.spec.Name == container {
			return b
		}
	}
	return nil
}
