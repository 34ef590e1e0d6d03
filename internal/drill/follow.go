package drill

import (
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// follow waits for the consequences of a fault, undoes it, and waits until all is well again. An
// error says why there was no fault.
func (d *drill) follow(f Fault, t *target, pod *corev1.Pod, rep *Repetition, undo func() error) error {
	began := d.report.Began
	at := func(o Offset) time.Time { return began.Add(time.Duration(o)) }
	killed, process := false, d.running(pod, t.Container)
	// Only what was done to a process is gone with it. Its end may be known a little later.
	gone := func() bool {
		other := func() bool { return d.running(pod, t.Container) != process }
		return killed || f.Side() == SideEnd || f.Kind.row().contained && (other() || d.until(time.Now().Add(time.Second), other))
	}
	seen := func(kinds ...ChangeKind) bool {
		d.record.mu.Lock()
		defer d.record.mu.Unlock()
		return firstIn(d.record.changes, pod.Name, t.Container, rep.Begin, kinds...) != nil
	}
	switch f.Side() {
	case SideInside:
		killed = d.until(at(rep.Begin).Add(f.decision(&t.Workload)), func() bool { return seen(ChangeDecided, ChangeEnded) })
		if killed {
			if !d.until(time.Now().Add(t.replacement()), func() bool { return seen(ChangeStarted) }) {
				_ = d.system.Signal(pod.Namespace, pod.Name, t.Container, sigkill) // it may have ended just now
			}
		}
		d.undo(rep, undo, gone)
		if f.Kind == KindDeadlock && !killed && t.deadlockCommand() != "" { // which a restart undoes
			d.until(time.Now().Add(ownLag), func() bool { return !d.allReady(t) })
		}
	case SideEnd:
		ended := func() bool { return seen(ChangeEnded) }
		switch f.Kind {
		case KindMemory:
			if d.until(at(rep.Begin).Add(f.Length), ended) {
				rep.Means = d.killedForMemory(t, pod, rep)
			} else if d.ctx.Err() == nil {
				return errors.Join(f.tookLess(), undo())
			}
		case KindCrash:
			if limit := t.endsWithin(); !d.until(time.Now().Add(limit), ended) && d.ctx.Err() == nil {
				return f.lives(limit)
			}
		}
		d.undo(rep, undo, gone)
		d.until(time.Now().Add(ownLag), func() bool { return !d.allReady(t) })
	default:
		over := d.over(f, t, rep)
		if f.Kind == KindSlowStart {
			d.until(over, func() bool { return seen(ChangeStarted) && d.allReady(t) })
		} else {
			d.sleep(time.Until(over))
		}
		d.undo(rep, undo, gone)
	}
	d.until(time.Now().Add(f.recovery(&t.Workload, killed)), func() bool { return d.allReady(t) && (f.Kind != KindRollout || d.rolledOut(t)) })
	return nil
}

// over is when a fault outside of a process is over. One of the start is kept up until the startup
// probe has succeeded, as no other probe is asked before, or has decided a restart, which is enough
// to judge by. A process that ends by itself is asked anew each time, and not waited for; nor is
// what a plan of the drill's own has no time for.
func (d *drill) over(f Fault, t *target, rep *Repetition) time.Time {
	begin := d.report.Began.Add(time.Duration(rep.Begin))
	wait := f.waitsForStart(&t.Workload)
	if len(d.opts.Faults) == 0 {
		wait = min(wait, d.opts.Budget-time.Since(d.report.Began)-f.cost(&t.Workload, d.opts.Rate))
	}
	if wait <= 0 {
		return begin.Add(f.Length)
	}
	var s starting
	d.until(begin.Add(wait), func() bool {
		s = d.starting(rep, t)
		return s.decided || s.passed || s.ended
	})
	switch {
	case s.decided:
		return time.Now()
	case s.passed || !s.ended:
		begin = time.Now()
	}
	return begin.Add(f.Length)
}

// starting is what has become of the process that started into a fault: the startup probe has
// decided that it be restarted, or has succeeded, or the process has ended by itself.
type starting struct{ decided, passed, ended bool }

func (d *drill) starting(rep *Repetition, t *target) starting {
	d.record.mu.Lock()
	defer d.record.mu.Unlock()
	seen := func(from Offset, kinds ...ChangeKind) *Offset {
		return firstIn(d.record.changes, rep.Pod, t.Container, from, kinds...)
	}
	began := seen(rep.Begin, ChangeStarted) // before it only the drill has ended one
	return starting{
		decided: seen(rep.Begin, ChangeDecided) != nil,
		passed:  passedStart(d.record.attempts, rep.Begin, rep.Pod, t.Container) != nil,
		ended:   began != nil && seen(*began, ChangeEnded) != nil,
	}
}

// undo undoes a fault. One that is gone with its process may not be there to be undone.
func (d *drill) undo(rep *Repetition, undo func() error, gone func() bool) {
	if err := undo(); err != nil && !gone() {
		rep.Undo = err.Error()
	}
	rep.End = d.since(time.Now())
	d.record.note(rep.Pod, time.Now(), ChangeUndone, "")
}
