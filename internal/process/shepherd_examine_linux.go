package process

import (
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// answerLimits are how long the shepherd process may leave a request without an answer.
type answerLimits struct {
	resume time.Duration // until it is told to go on, as it may have been stopped
	kill   time.Duration // from then on, until it is killed
	spin   time.Duration // of a processor that it may use in between without a word
}

// examine asks the shepherd process something that it can answer at once: a start may take long on
// a slow disk, but that may not. One that was stopped is told to go on; one that does not answer
// then either is killed, and its processes with it, as nobody could stop or restart them any more.
// One that says anything at all, or uses a processor, is neither: it is busy with what it was asked
// before, such as many starts on a machine that has much else to do.
func (s *Shepherd) examine() {
	s.mu.Lock()
	again := s.examining || s.closing
	s.examining = true
	s.mu.Unlock()
	if again {
		return
	}
	defer func() {
		s.mu.Lock()
		s.examining = false
		s.mu.Unlock()
	}()
	answered := make(chan struct{})
	go func() { // ends with the shepherd at the latest
		// no process has the number 0: the answer does not matter
		s.request(message{verb: verbSignal})
		close(answered)
	}()
	if !s.isSilent(s.limits.resume, answered) {
		return
	}
	if s.resume() != nil {
		return // it has ended
	}
	s.notice(fmt.Sprintf("probity: the shepherd process (%d), which starts and stops the programs, does not answer: it is told to go on, as if it was stopped", s.cmd.Process.Pid))
	// it may be stopped again meanwhile
	for until := time.Now().Add(s.limits.kill); time.Now().Before(until) && s.resume() == nil; {
		if !s.isSilent(min(s.limits.resume, s.limits.kill), answered) {
			return
		}
	}
	s.notice(fmt.Sprintf("probity: the shepherd process (%d) still does not answer: it is killed, and its programs with it", s.cmd.Process.Pid))
	_ = s.cmd.Process.Kill() // an error means that it has ended
}

// watchStops examines the shepherd process when it is stopped, by a person or a debugger: it could
// not notice meanwhile that a program has ended. The kernel tells that like the end of a child, and
// the shepherd is the only one. It ends with the shepherd.
func (s *Shepherd) watchStops() {
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	defer signal.Stop(children)
	for {
		select {
		case <-children:
			if s.wasStopped() {
				s.examine()
			}
		case <-s.done:
			return
		}
	}
}

// wasStopped reports whether the shepherd process was stopped since this was asked last.
func (s *Shepherd) wasStopped() bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, s.cmd.Process.Pid, &info, unix.WSTOPPED|unix.WNOHANG, nil)
	return err == nil && info.Signo == int32(unix.SIGCHLD)
}

// resume lets the shepherd process go on; an error means that it has ended.
func (s *Shepherd) resume() error { return s.cmd.Process.Signal(unix.SIGCONT) }

// isSilent reports whether the shepherd neither says nor does anything for as long as the limit. It
// returns when there is the answer, or nothing to wait for.
func (s *Shepherd) isSilent(limit time.Duration, answered <-chan struct{}) bool {
	said := s.activity()
	for {
		before := s.activity()
		select {
		case <-answered:
			return false
		case <-s.done:
			return false
		case <-time.After(limit):
		}
		now := s.activity()
		switch {
		case now.messages != before.messages:
			said = now
		case now.processor-before.processor < limit/100: // the runtime's own threads use less
			return true
		case now.processor-said.processor > s.limits.spin:
			return true
		}
	}
}

// activity is what the shepherd process has done since its start.
type activity struct {
	messages  int           // that have come from it, of any kind
	processor time.Duration // that it has used
}

func (s *Shepherd) activity() activity {
	used, _ := processorTime(s.cmd.Process.Pid) // an error means that it has ended
	s.mu.Lock()
	defer s.mu.Unlock()
	return activity{messages: s.received, processor: used}
}
