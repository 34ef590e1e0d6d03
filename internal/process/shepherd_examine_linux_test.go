package process

import (
	"errors"
	"os"
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
	if err := s.Close(); err != nil || time.Since(began) > patience {
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

// TestBusyShepherd: one that is slow, but goes on with what it was asked before, is left alone.
func TestBusyShepherd(t *testing.T) {
	t.Parallel()
	s, theirs := fakeShepherd(t, idle, answerLimits{resume: 3 * time.Second, kill: time.Millisecond}, func(line string) { t.Errorf("notice %q", line) })
	shepherd, err := newConn(theirs)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan answer, 1)
	go func() { asked <- s.call(message{verb: verbSignal}) }()
	request, err := shepherd.receive()
	if err != nil {
		t.Fatal(err)
	}
	examination, err := shepherd.receive()
	if err != nil {
		t.Fatal(err)
	}
	for range 65 { // ends of others, for more than twice the limit
		time.Sleep(100 * time.Millisecond)
		if err := shepherd.send(message{verb: verbExited, process: 1000}); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []message{request, examination} {
		if err := shepherd.send(message{verb: verbAnswered, call: m.call}); err != nil {
			t.Fatal(err)
		}
	}
	if a := <-asked; a.err != nil {
		t.Error(a.err)
	}
	if err := shepherd.close(); err != nil {
		t.Error(err)
	}
	if err := s.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	<-s.Done()
}

// TestStarvedShepherd: one that gets little of a processor, and says nothing for long, goes on with
// something: it is left alone until it has used so much that it cannot be anything of use.
func TestStarvedShepherd(t *testing.T) {
	t.Parallel()
	notices := make(chan string, 4)
	// a busy machine may give it nothing for a tenth of a second, which is as if it did nothing
	limits := answerLimits{resume: 2 * time.Second, kill: time.Second, spin: 4 * time.Second}
	s, theirs := fakeShepherd(t, []string{"sh", "-c", "while :; do :; done"}, limits, func(line string) { notices <- line })
	if err := theirs.Close(); err != nil {
		t.Fatal(err)
	}
	if a := s.call(message{verb: verbSignal}); !errors.Is(a.err, ErrShepherdGone) {
		t.Errorf("error %v, want %v", a.err, ErrShepherdGone)
	}
	<-s.Done()
	if used := s.cmd.ProcessState.SystemTime() + s.cmd.ProcessState.UserTime(); used < limits.spin {
		t.Errorf("killed when it had used %v, want %v at least", used, limits.spin)
	}
	if line := <-notices; !strings.Contains(line, "told to go on") {
		t.Errorf("notice %q", line)
	}
}

// idle is a program that does nothing.
var idle = []string{"sleep", "600"}

// fakeShepherd is a program that does not read what it is asked, with the other side of the socket.
func fakeShepherd(t *testing.T, program []string, limits answerLimits, notice func(string)) (s *Shepherd, theirs *os.File) {
	t.Helper()
	ours, theirs, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	c, err := newConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	fake := exec.Command(program[0], program[1:]...)
	fake.ExtraFiles = append(fake.ExtraFiles, theirs)
	s = &Shepherd{
		cmd: fake, conn: c, stderr: &limitedBuffer{}, done: make(chan struct{}), calls: map[uint64]call{}, processes: map[uint64]*shepherdProcess{},
		notice: notice, limits: limits,
	}
	if err := fake.Start(); err != nil {
		t.Fatal(err)
	}
	go s.run()
	return s, theirs
}

// TestSilentShepherd: one that never answers is killed, so that nobody waits for ever; also when
// nothing can be sent to it any more.
func TestSilentShepherd(t *testing.T) {
	var said []string
	limits := answerLimits{resume: 50 * time.Millisecond, kill: 50 * time.Millisecond}
	s, theirs := fakeShepherd(t, idle, limits, func(line string) { said = append(said, line) })
	if err := theirs.Close(); err != nil {
		t.Fatal(err)
	}
	large := message{verb: verbStart, command: command{argv: []string{strings.Repeat("x", 1<<20)}}}
	if a := s.call(large); !errors.Is(a.err, ErrShepherdGone) {
		t.Errorf("error %v, want %v", a.err, ErrShepherdGone)
	}
	<-s.Done()
	if status, ok := s.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != unix.SIGKILL {
		t.Errorf("it ended by %v", s.cmd.ProcessState)
	}
	if len(said) != 2 || !strings.Contains(said[1], "is killed") {
		t.Errorf("notices %q", said)
	}
}
