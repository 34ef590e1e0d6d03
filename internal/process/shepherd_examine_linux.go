package process

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// answerLimits are how long the shepherd process may leave a request without an answer.
type answerLimits struct {
	resume time.Duration // until it is told to go on, as it may have been stopped
	kill   time.Duration // from then on, until it is killed
}

// examine asks the shepherd process something that it can answer at once: a start may take long on
// a slow disk, but that may not. One that was stopped is told to go on; one that does not answer
// then either is killed, and its processes with it, as nobody could stop or restart them any more.
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
	if s.within(s.limits.resume, answered) {
		return
	}
	if err := s.cmd.Process.Signal(unix.SIGCONT); err != nil {
		return // it has ended
	}
	s.notice(fmt.Sprintf("probity: the shepherd process (%d), which starts and stops the programs, does not answer: it is told to go on, as if it was stopped", s.cmd.Process.Pid))
	if s.within(s.limits.kill, answered) {
		return
	}
	s.notice(fmt.Sprintf("probity: the shepherd process (%d) still does not answer: it is killed, and its programs with it", s.cmd.Process.Pid))
	_ = s.cmd.Process.Kill() // an error means that it has ended
}

// within reports whether there is an answer, or nothing to wait for, before the limit.
func (s *Shepherd) within(limit time.Duration, answered <-chan struct{}) bool {
	select {
	case <-answered:
		return true
	case <-s.done:
		return true
	case <-time.After(limit):
		return false
	}
}
