package process

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestStoppedShepherd: a shepherd that somebody has stopped goes on, and the request is carried
// out.
func TestStoppedShepherd(t *testing.T) {
	notices := make(chan string, 4)
	s, err := NewShepherd(ShepherdOptions{Notice: func(line string) { notices <- line }})
	if err != nil {
		t.Fatal(err)
	}
	s.limits.resume = 50 * time.Millisecond
	p, err := s.Start(Spec{Argv: []string{"sleep", "60"}, Env: []string{"PATH=/bin:/usr/bin"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	<-p.Done()
	if line := <-notices; !strings.Contains(line, "told to go on") {
		t.Errorf("notice %q", line)
	}
	// at the end nobody waits for a stopped one either
	if err := s.cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := s.Close(); err != nil || time.Since(began) > KillBound {
		t.Errorf("closed after %v: %v", time.Since(began), err)
	}
}

func (s *Shepherd) isExamining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.examining
}

// TestStoppedShepherdWithoutRequests: that one was stopped is noticed although nobody wants
// anything of it, each time.
func TestStoppedShepherdWithoutRequests(t *testing.T) {
	notices := make(chan string, 4)
	s, err := NewShepherd(ShepherdOptions{Notice: func(line string) { notices <- line }})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Start(Spec{Argv: []string{"sh", "-c", "sleep 0.2; exit 3"}, Env: []string{"PATH=/bin:/usr/bin"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for s.isExamining() { // a stop meanwhile is not said once more
			time.Sleep(time.Millisecond)
		}
		if err := s.cmd.Process.Signal(unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		if line := <-notices; !strings.Contains(line, "told to go on") {
			t.Errorf("notice %q", line)
		}
		<-p.Done()
	}
	if code := p.Exit().Code; code != 3 {
		t.Errorf("exit code %d", code)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSilentShepherd: one that never answers is killed, so that nobody waits for ever; also when
// nothing can be sent to it any more.
func TestSilentShepherd(t *testing.T) {
	ours, theirs, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	c, err := newConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	silent := exec.Command("sleep", "600")
	silent.ExtraFiles = append(silent.ExtraFiles, theirs)
	s := &Shepherd{
		cmd: silent, conn: c, stderr: &limitedBuffer{}, done: make(chan struct{}), calls: map[uint64]call{}, processes: map[uint64]*shepherdProcess{},
		notice: func(line string) { said = append(said, line) }, limits: answerLimits{resume: 50 * time.Millisecond, kill: 50 * time.Millisecond},
	}
	if err := silent.Start(); err != nil {
		t.Fatal(err)
	}
	if err := theirs.Close(); err != nil {
		t.Fatal(err)
	}
	go s.run()
	large := message{verb: verbStart, command: command{argv: []string{strings.Repeat("x", 1<<20)}}}
	if a := s.call(large); !errors.Is(a.err, ErrShepherdGone) {
		t.Errorf("error %v, want %v", a.err, ErrShepherdGone)
	}
	<-s.Done()
	if status, ok := silent.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != unix.SIGKILL {
		t.Errorf("it ended by %v", silent.ProcessState)
	}
	if len(said) != 2 || !strings.Contains(said[1], "is killed") {
		t.Errorf("notices %q", said)
	}
}
