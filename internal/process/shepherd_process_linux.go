package process

import (
	"errors"
	"syscall"
	"time"
)

// shepherdProcess is a process that the shepherd started.
type shepherdProcess struct {
	shepherd  *Shepherd
	id        uint64
	pid       int
	startedAt time.Time
	watch     *watch // of its connects, may be nil
	done      chan struct{}
	exit      Exit // written before done is closed
}

func (p *shepherdProcess) PID() int              { return p.pid }
func (p *shepherdProcess) StartedAt() time.Time  { return p.startedAt }
func (p *shepherdProcess) Done() <-chan struct{} { return p.done }

func (p *shepherdProcess) Signal(sig syscall.Signal) error {
	return p.shepherd.call(message{verb: verbSignal, process: p.id, signal: uint64(sig)}).err
}

func (p *shepherdProcess) Kill() error {
	return p.shepherd.call(message{verb: verbKill, process: p.id}).err
}

// Inject is described at [Faulty].
func (p *shepherdProcess) Inject(f Fault) (undo func() error, err error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	order := faultOrder{kind: uint64(f.Kind), share: uint64(f.Share * shareUnit), limit: uint64(f.Limit), lasts: uint64(f.lasts())}
	a := p.shepherd.call(message{verb: verbInject, process: p.id, signal: uint64(f.Signal), fault: order, command: command{argv: f.Disks}})
	switch {
	case errors.Is(a.err, syscall.EBUSY):
		return nil, ErrFaultBusy
	case a.err != nil:
		return nil, a.err
	}
	return func() error { return p.undo(a.call) }, nil
}

// undo undoes a fault. Where the shepherd is gone, so is the process.
func (p *shepherdProcess) undo(fault uint64) error {
	err := p.shepherd.call(message{verb: verbUndo, process: fault}).err
	if errors.Is(err, ErrShepherdGone) {
		return nil
	}
	return err
}

func (p *shepherdProcess) Exit() Exit {
	select {
	case <-p.done:
		return p.exit
	default:
		return Exit{}
	}
}

func (p *shepherdProcess) end(exit Exit) {
	p.exit = exit
	if p.watch != nil {
		p.watch.stop()
	}
	close(p.done)
}
