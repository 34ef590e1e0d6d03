package process

import (
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
