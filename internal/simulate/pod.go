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

// pod is one simulated Pod: the core, its programs, and what is to happen to both.
type pod struct {
	cluster       *cluster
	workload      script.Workload
	replica       int         // of its workload, from 0
	object        *corev1.Pod // as it was created, with the newest status
	state         *lifecycle.Pod
	programs      Programs
	scripted      *scripted // the programs, if a script describes them
	skip          skippable // the programs, if they are
	queue         queue
	deadline      time.Duration // of the core: when it wants a tick
	containers    []*container
	attempts      uint64 // of probes, so far
	kubelet       random // what a restart of the kubelet draws from
	setUp         bool   // its first process was asked for
	statusChanged bool   // the status differs from the object's
	gone          bool
	fails         bool // requests to it, as it was when it was asked last
	endpoints     endpoints
}

// container is a container of a Pod and its current instance.
type container struct {
	spec     *corev1.Container
	instance Instance
	id       string
	running  bool // a process exists
	inFlight []attemptInFlight
	noted    State // in the timeline
	verdict  int   // by which it is to be restarted, its index plus 1; 0 for none
	// whether the liveness probe has made an attempt on this instance
	livenessBegan bool
}

// attemptInFlight is an attempt of a probe that has not ended.
type attemptInFlight struct {
	number uint64 // among those of the Pod
	probe  lifecycle.ProbeType
	began  time.Duration
}

// createPod makes a Pod and starts it now.
func (c *cluster) createPod(owner script.Workload, template *corev1.Pod, replica int) *pod {
	c.created++
	object := template.DeepCopy()
	object.UID = types.UID(fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(c.seed)^uint32(c.seed>>32), c.created))
	object.CreationTimestamp = metav1.NewTime(c.time(c.now))
	object.Status.Phase = corev1.PodPending
	p := &pod{
		cluster: c, workload: owner, replica: replica, object: object, state: lifecycle.NewPod(object, c.podOptions(object)),
		kubelet: newRandom(c.seed, "kubelet", fmt.Sprint(c.created)),
	}
	for _, list := range [][]corev1.Container{object.Spec.InitContainers, object.Spec.Containers} {
		for i := range list {
			p.containers = append(p.containers, &container{spec: &list[i], noted: State{State: "waiting"}})
		}
	}
	c.pods = append(c.pods, p)
	p.answersChange()
	if c.programs != nil {
		p.programs = c.programs(object, func() time.Duration { return c.now })
	} else {
		p.scripted = newScripted(c, owner, object, replica)
		p.programs = p.scripted
		p.expectFaults()
	}
	p.skip, _ = p.programs.(skippable)
	p.expectKubelet()
	c.podChanged(watch.Added, object)
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
		it := p.queue.pop()
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
		c := p.container(e.Container)
		c.running = true
		p.cluster.measures.processStarted(c)
		p.noteProcess(c, "started")
		p.expectAnswers(c)
	case lifecycle.Exited:
		c := p.container(e.Container)
		if c.id != e.Instance || !c.running {
			return
		}
		p.exited(c, e)
	case lifecycle.ProbeDone:
		c := p.container(e.Container)
		i := slices.IndexFunc(c.inFlight, func(f attemptInFlight) bool { return f.number == it.attempt })
		if i < 0 {
			return
		}
		p.attemptDone(c, e, i)
		return
	}
	p.on(it.event)
}

// on feeds the core and carries out what it asks for.
func (p *pod) on(event lifecycle.Event) {
	effects := p.state.On(event, p.cluster.time(p.cluster.now))
	p.setDeadline()
	for _, effect := range effects {
		p.carryOut(effect)
	}
	if p.statusChanged {
		p.publish()
	}
}

func (p *pod) setDeadline() {
	p.deadline = script.Infinity
	if at := p.state.Deadline(); !at.IsZero() {
		p.deadline = max(p.cluster.since(at), p.cluster.now)
	}
}

func (p *pod) carryOut(effect lifecycle.Effect) {
	switch e := effect.(type) {
	case lifecycle.StartContainer:
		p.start(e)
	case lifecycle.StopContainer:
		p.stop(e)
	case lifecycle.KillContainer:
		p.noteProcess(p.container(e.Container), "SIGKILL")
		p.exit(e.Container, e.Instance, 0, 137, 9)
	case lifecycle.RunProbe:
		p.attempt(e)
	case lifecycle.CancelProbe:
		p.cancel(p.container(e.Container), e.Type)
	case lifecycle.RunHook:
		c := p.container(e.Container)
		answer := p.programs.Hook(c.instance, e.Hook, e.Handler)
		p.noteProcess(c, string(e.Hook)+" hook")
		p.put(answer.After, lifecycle.HookDone{Container: e.Container, Instance: e.Instance, Hook: e.Hook, Err: answer.Err})
	case lifecycle.Record:
		p.record(e)
	case lifecycle.StatusChanged:
		p.statusChanged = true
	case lifecycle.Finished:
		p.gone, p.statusChanged = true, true
		p.answersChange()
	}
}

func (p *pod) start(e lifecycle.StartContainer) {
	c := p.container(e.Container)
	c.id, c.instance = e.Instance, Instance{Container: e.Container, Number: c.instance.Number + 1, Starts: p.cluster.now}
	if p.scripted != nil && !p.setUp {
		p.setUp = true
		c.instance.Starts += newRandom(p.cluster.seed, "setup", fmt.Sprint(p.replica)).draw(p.cluster.script.PodSetup)
	}
	c.livenessBegan = false
	end := p.programs.Start(c.instance)
	delay := c.instance.Starts - p.cluster.now
	p.put(delay, lifecycle.Started{Container: e.Container, Instance: e.Instance, At: p.cluster.time(p.cluster.now + delay)})
	if end != nil {
		p.exit(e.Container, e.Instance, delay+end.After, end.Code, 0)
	}
}

func (p *pod) stop(e lifecycle.StopContainer) {
	c := p.container(e.Container)
	p.noteProcess(c, string(e.Signal))
	if end := p.programs.Stop(c.instance, p.cluster.now); end.After < script.Infinity {
		p.exit(e.Container, e.Instance, end.After, end.Code, 0)
	}
}

func (p *pod) exit(container, instance string, after time.Duration, code, signal int32) {
	p.put(after, lifecycle.Exited{Container: container, Instance: instance, ExitCode: code, Signal: signal, At: p.cluster.time(p.cluster.now + after)})
}

func (p *pod) put(after time.Duration, event lifecycle.Event) {
	p.queue.put(item{at: p.cluster.now + after, event: event})
}

// exited notes the end of a process, and that what was wrong with it is over.
func (p *pod) exited(c *container, e lifecycle.Exited) {
	c.running = false
	p.noteProcess(c, fmt.Sprintf("exited, code %d", e.ExitCode))
	p.endCuredFaults(c)
}

func (p *pod) noteProcess(c *container, what string) {
	if p.cluster.timeline != nil {
		p.note(Entry{Kind: EntryProcess, Container: c.spec.Name, Instance: c.instance.Number, Text: what})
	}
}

func (p *pod) note(e Entry) {
	e.At, e.Pod = Offset(p.cluster.now), p.object.Name
	p.cluster.timeline.add(e)
}

func (p *pod) container(name string) *container {
	for _, c := range p.containers {
		if c.spec.Name == name {
			return c
		}
	}
	return nil
}
