package process

import (
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// effect is what a fault does. All of it is called by the goroutine of the server.
type effect interface {
	// begin does it; after an error undo is called.
	begin(now time.Time) error
	// step is called next at that time, at the end of the fault if it is zero. done: Probity may be
	// told that the fault is there. After an error undo is called.
	step(now time.Time) (next time.Time, done bool, err error)
	undo() error
}

// faultMeans are what a process can have one fault of at a time.
type faultMeans uint8

const (
	meansSignals faultMeans = iota
	meansDescriptors
	meansFileSize
	meansMemory
	meansDisk
)

// childFault is a fault that a child has.
type childFault struct {
	id       uint64 // the call that asked for it
	child    *child
	means    faultMeans
	effect   effect
	next     time.Time // of the next step; zero: none
	end      time.Time // then it is undone
	answered bool
}

// inject does a fault to a child.
func (s *server) inject(m message) {
	c := s.children[m.process]
	if c == nil || c.reaped || c.killed {
		s.answerErr(m.call, unix.ESRCH)
		return
	}
	if FaultKind(m.fault.kind) == FaultSignal {
		s.answerErr(m.call, signalGroup(c.pid, syscall.Signal(m.signal)))
		return
	}
	now := time.Now()
	f := &childFault{id: m.call, child: c, end: now.Add(time.Duration(m.fault.lasts))}
	if f.means, f.effect = s.effect(c, m); f.effect == nil {
		s.answerErr(m.call, unix.EINVAL)
		return
	}
	if slices.ContainsFunc(s.faults, func(other *childFault) bool { return other.child == c && other.means == f.means }) {
		s.answerErr(m.call, unix.EBUSY)
		return
	}
	if err := f.effect.begin(now); err != nil {
		_ = f.effect.undo() // what could not be done is what could not be undone
		s.answerErr(m.call, err)
		return
	}
	f.next = now
	s.faults = append(s.faults, f)
	s.stepFault(f, now) // at once: however late the next turn is, a short fault has been there
}

// effect is what a fault does to a child, and by what means; nil if there is no such fault.
func (s *server) effect(c *child, m message) (faultMeans, effect) {
	order := m.fault
	switch FaultKind(order.kind) {
	case FaultStop:
		return meansSignals, &stopFault{tree: stoppedTree{root: c.pid}}
	case FaultThrottle:
		return meansSignals, newThrottle(c.pid, float64(order.share)/shareUnit)
	case FaultDescriptors:
		// the standard streams stay
		return meansDescriptors, &limitFault{root: c.pid, resource: unix.RLIMIT_NOFILE, limit: 3}
	case FaultFileSize:
		return meansFileSize, &limitFault{root: c.pid, resource: unix.RLIMIT_FSIZE}
	case FaultMemory:
		return meansMemory, &memoryFault{root: c.pid, limit: int64(order.limit), exceeded: func() { c.outOfMemory = true; s.kill(c) }}
	case FaultDisk:
		return meansDisk, &diskFault{root: c.pid, targets: m.command.argv}
	}
	return 0, nil
}

// quota reports whether it has a control group, which its process does not take with it.
func (f *childFault) quota() bool {
	t, ok := f.effect.(*throttle)
	return ok && t.effect == effect(&t.quota)
}

// abandon forgets the faults when Probity is gone: they end with their processes. Of those that
// leave a control group, undo is called again when all processes have ended.
func (s *server) abandon() (again []effect) {
	for _, f := range s.faults {
		if f.quota() && f.effect.undo() != nil {
			again = append(again, f.effect)
		}
	}
	s.faults = nil
	return again
}

// undo undoes a fault that Probity has enough of. One that is not there is undone, or has ended
// with its process.
func (s *server) undo(m message) {
	var err error
	for _, f := range s.faults {
		if f.id == m.process {
			err = s.end(f)
			break
		}
	}
	s.answerErr(m.call, err)
}

// undoAgain is how much later that is tried which could not be undone.
const undoAgain = 100 * time.Millisecond

// end undoes a fault. One that cannot be undone stays, so that it is tried again.
func (s *server) end(f *childFault) error {
	if err := f.effect.undo(); err != nil {
		f.next, f.end = time.Time{}, time.Now().Add(undoAgain)
		return err
	}
	s.drop(f, unix.ETIME)
	return nil
}

// drop forgets a fault. Who still waits for it hears why it never was there as a whole.
func (s *server) drop(f *childFault, why error) {
	s.faults = slices.DeleteFunc(s.faults, func(other *childFault) bool { return other == f })
	s.injected(f, why)
}

// injected tells Probity what has become of its request, once.
func (s *server) injected(f *childFault, err error) {
	if !f.answered {
		f.answered = true
		s.answerErr(f.id, err)
	}
}

// dueFaults does what of the faults is due, and returns what tells when that is again; nil if it is
// not.
func (s *server) dueFaults() <-chan time.Time {
	next := s.stepFaults()
	if next.IsZero() {
		return nil
	}
	return time.After(time.Until(next))
}

// stepFaults does what of the faults is due, and returns when the next thing is; zero: none is.
func (s *server) stepFaults() (next time.Time) {
	for _, f := range slices.Clone(s.faults) {
		s.stepFault(f, time.Now())
	}
	for _, f := range s.faults {
		for _, at := range []time.Time{f.next, f.end} {
			if !at.IsZero() && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
}

func (s *server) stepFault(f *childFault, now time.Time) {
	switch {
	case f.child.reaped || f.child.killed:
		if f.means == meansDisk {
			_ = f.effect.undo() // it is in the namespace, which others may have
		}
		if f.quota() && now.Before(f.end) && f.effect.undo() != nil {
			f.next = now.Add(undoAgain) // its group is there until the last process of it is gone
			s.injected(f, unix.ESRCH)
			return
		}
		s.drop(f, unix.ESRCH)
	case !now.Before(f.end):
		_ = s.end(f) // it is tried again
	case !f.next.IsZero() && !now.Before(f.next):
		next, done, err := f.effect.step(now)
		if f.next = next; err != nil {
			s.injected(f, err)
			_ = s.end(f)
		} else if done {
			s.injected(f, nil)
		}
	}
}

// answerErr tells Probity what has become of a request.
func (s *server) answerErr(call uint64, err error) {
	s.send(message{verb: verbAnswered, call: call, errno: errnoOf(err)})
}
