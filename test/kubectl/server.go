package kubectl

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// timeout is how long something may take that should take seconds.
const timeout = 2 * time.Minute

// mark is the variable of the environment by which the processes of a run are found; its value is
// the state folder.
const mark = "PROBITY_TEST_RUN"

// Server is a running "probity run". Make it with [Start] and end it with [Server.Stop].
type Server struct {
	// Kubeconfig is the path of the file by which clients reach it.
	Kubeconfig string

	state  string
	cmd    *exec.Cmd
	output buffer
	ended  chan struct{} // closed when it was waited for
}

// Start starts "PROGRAM run --state-dir STATE ARGS..." in a folder and returns when its kubeconfig
// is there. env is its environment.
func Start(program, state, dir string, env []string, args ...string) (*Server, error) {
	s := &Server{Kubeconfig: filepath.Join(state, "kubeconfig"), state: state, ended: make(chan struct{})}
	s.cmd = exec.Command(program, append([]string{"run", "--state-dir", state}, args...)...)
	s.cmd.Dir = dir
	s.cmd.Env = append(slices.Clone(env), mark+"="+state, "GORACE=atexit_sleep_ms=0")
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	s.cmd.WaitDelay = time.Second // for processes that it leaves with its output
	// that of the last run of the state folder would be taken for this one's
	if err := os.Remove(s.Kubeconfig); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // Stop looks at the exit code
	}()
	if err := s.awaitKubeconfig(); err != nil {
		return nil, errors.Join(err, s.Stop(), fmt.Errorf("it said:\n%s", s.Output()))
	}
	return s, nil
}

func (s *Server) awaitKubeconfig() error {
	found := within(timeout, func() bool {
		_, err := os.Stat(s.Kubeconfig)
		return err == nil || s.hasEnded()
	})
	if s.hasEnded() || !found {
		return fmt.Errorf("%s run has not written %s, has it ended: %v", s.cmd.Path, s.Kubeconfig, s.hasEnded())
	}
	return nil
}

func (s *Server) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// Stop interrupts it, waits for its end, and kills what it has left. It is an error if its exit
// code is not 0 or if anything was left.
func (s *Server) Stop() error {
	_ = s.cmd.Process.Signal(os.Interrupt) // it may have ended
	var errs []error
	select {
	case <-s.ended:
	case <-time.After(timeout):
		errs = append(errs, fmt.Errorf("probity run has not ended %v after an interrupt", timeout))
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		errs = append(errs, fmt.Errorf("probity run has ended with the exit code %d", code))
	}
	if !within(timeout, func() bool { return len(s.Processes()) == 0 }) {
		for _, p := range s.Processes() {
			errs = append(errs, fmt.Errorf("process %d is left: %s", p.PID, p.Command))
			if process, err := os.FindProcess(p.PID); err == nil {
				_ = process.Kill()
			}
		}
	}
	return errors.Join(errs...)
}

// Output is what it has printed so far.
func (s *Server) Output() string { return s.output.String() }

// Process is a process that belongs to a run.
type Process struct {
	PID int
	// Command is its command line, words separated by spaces.
	Command string
}

// Processes are those that the run has started, at whatever remove, and itself.
func (s *Server) Processes() []Process { return processesOf(s.state) }

// processesOf are those of the run with a state folder.
func processesOf(state string) []Process {
	folders, _ := filepath.Glob("/proc/[0-9]*") // the pattern is correct
	var found []Process
	for _, folder := range folders {
		environment, err := os.ReadFile(filepath.Join(folder, "environ"))
		if err != nil || !bytes.Contains(append([]byte{0}, environment...), []byte("\x00"+mark+"="+state+"\x00")) {
			continue // it has ended, or is another one
		}
		command, _ := os.ReadFile(filepath.Join(folder, "cmdline"))
		pid, _ := strconv.Atoi(filepath.Base(folder))
		found = append(found, Process{pid, strings.TrimSpace(strings.ReplaceAll(string(command), "\x00", " "))})
	}
	return found
}

// within polls a condition and reports whether it came true in time.
func within(limit time.Duration, holds func() bool) bool {
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			return false
		}
		<-tick.C
	}
	return true
}

// buffer is a bytes.Buffer that can be read while it is written.
type buffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer // guarded by mu
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.String()
}
