package harness

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Run is a running probity and what it printed so far.
type Run struct {
	t           *testing.T
	cmd         *exec.Cmd
	stderr      buffer
	environMark string
	state       string
	ended       chan struct{} // closed when probity was waited for

	file, programs string // the manifest, and the folder with probity and the scripted service

	mu      sync.Mutex // guards what follows
	changed chan struct{}
	changes []Change
	closed  bool // the output has ended
}

// Options change how probity is run. The zero value reads -o json and the output of the containers.
type Options struct {
	// Args are more arguments of probity run.
	Args []string
	// Wrap is a command that becomes probity, such as "prlimit --nofile=64".
	Wrap []string
	// Env is added to the environment.
	Env []string
	// Stdout and Stderr take the output instead of the Run.
	Stdout, Stderr *os.File
	// NoLogs leaves out --logs.
	NoLogs bool
	// User runs probity as this user and group id. 0 means the caller.
	User uint32
	// StateDir is the state folder. Default: one that is removed after the test.
	StateDir string
}

// Start runs a manifest with -o json in a folder of its own. The word SERVICE in it stands for the
// scripted service.
func Start(t *testing.T, manifest string, args ...string) *Run {
	t.Helper()
	return StartWith(t, Options{Args: args}, manifest)
}

// StartWith is [Start] with options.
func StartWith(t *testing.T, opts Options, manifest string) *Run {
	t.Helper()
	programs := makeFolder(t, opts.User)
	if err := linkPrograms(programs, opts.User != 0); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(makeFolder(t, opts.User), "pod.yaml")
	if err := os.WriteFile(file, withServicePath(manifest, programs), 0o644); err != nil {
		t.Fatal(err)
	}
	return StartFile(t, opts, filepath.Join(programs, "probity"), file)
}

// makeFolder makes a folder that belongs to a user and that the user can reach.
func makeFolder(t *testing.T, user uint32) string {
	t.Helper()
	dir := t.TempDir()
	if user == 0 {
		return dir
	}
	for _, path := range []string{filepath.Dir(dir), dir} {
		if err := errors.Join(os.Chown(path, int(user), int(user)), os.Chmod(path, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// linkPrograms links the test binary as probity, and the scripted service, into dir. hard makes
// hard links, for another user who cannot follow a symbolic link to them.
func linkPrograms(dir string, hard bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	make := os.Symlink
	if hard {
		make = os.Link
	}
	return errors.Join(make(self, filepath.Join(dir, "probity")), make(Service(), filepath.Join(dir, "service")))
}

// Service is the path of the scripted service, for tests that run it without [Start].
func Service() string { return os.Getenv(serviceVariable) }

// StartFile runs a manifest file that is already there.
func StartFile(t *testing.T, opts Options, probity, file string) *Run {
	t.Helper()
	r := &Run{
		t: t, file: file, programs: filepath.Dir(probity), environMark: newEnvironMark(), changed: make(chan struct{}), ended: make(chan struct{}),
	}
	if opts.StateDir == "" {
		opts.StateDir = makeFolder(t, opts.User)
	}
	r.state = opts.StateDir
	words := append([]string{}, opts.Wrap...)
	words = append(words, probity, "run", "-o", "json", "--state-dir", opts.StateDir, file)
	if !opts.NoLogs {
		words = append(words, "--logs")
	}
	r.cmd = exec.Command(words[0], append(words[1:], opts.Args...)...)
	r.cmd.Env = append(append(os.Environ(), r.environMark), opts.Env...)
	if opts.User != 0 {
		r.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: opts.User, Gid: opts.User}}
	}
	r.start(opts)
	return r
}

// start starts probity and the goroutine that reads its output and waits for its end. cleanUp joins
// that goroutine.
func (r *Run) start(opts Options) {
	r.t.Helper()
	r.cmd.Stderr = &r.stderr
	if opts.Stderr != nil {
		r.cmd.Stderr = opts.Stderr
	}
	var out io.ReadCloser
	if r.cmd.Stdout = opts.Stdout; opts.Stdout == nil {
		var err error
		r.cmd.Stdout = nil
		if out, err = r.cmd.StdoutPipe(); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	go func() {
		defer close(r.ended)
		if out != nil {
			r.readAll(bufio.NewReader(out))
		}
		_ = r.cmd.Wait() // tests that want to know the exit code call Exit
	}()
	r.t.Cleanup(r.cleanUp)
}

// sameSignal is a little longer than what probity takes for one signal.
const sameSignal = 600 * time.Millisecond

// InterruptAgain is a Ctrl-C that is not taken for the one before.
func (r *Run) InterruptAgain() {
	r.t.Helper()
	time.Sleep(sameSignal)
	r.Interrupt()
}

// cleanUp ends probity and fails the test if anything that it started is left.
func (r *Run) cleanUp() {
	r.Interrupt()
	select {
	case <-r.ended:
	case <-time.After(sameSignal):
	}
	r.Interrupt()
	select {
	case <-r.ended:
	case <-time.After(Timeout):
		r.t.Errorf("probity has not ended %v after two interrupts", Timeout)
		_ = r.cmd.Process.Kill()
		<-r.ended
	}
	if !Within(Timeout, func() bool { return len(r.Processes()) == 0 }) {
		for _, pid := range r.Processes() {
			r.t.Errorf("process %d is left: %s", pid, commandLine(pid))
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if r.t.Failed() {
		r.t.Logf("probity said:\n%s", tailOf(r.stderr.String(), 8<<10))
		r.logEvents()
	}
}

// PID is probity's process id.
func (r *Run) PID() int { return r.cmd.Process.Pid }

// StateDir is the state folder.
func (r *Run) StateDir() string { return r.state }

// Stderr is what probity wrote to standard error so far.
func (r *Run) Stderr() string { return r.stderr.String() }

// Signal sends a signal to probity alone.
func (r *Run) Signal(sig syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.t.Error(err)
	}
}

// Interrupt is Ctrl-C.
func (r *Run) Interrupt() { r.Signal(syscall.SIGINT) }

// Exit waits for the end and returns the exit code.
func (r *Run) Exit() int {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(Timeout):
		_ = r.cmd.Process.Kill()
		<-r.ended
		r.t.Fatalf("probity has not ended within %v", Timeout)
	}
	return r.cmd.ProcessState.ExitCode()
}

func (r *Run) logEvents() {
	for _, e := range r.Events("") {
		r.t.Logf("%s %s %s %s", e.EventTime.Format("15:04:05.000"), e.InvolvedObject.Name, e.InvolvedObject.FieldPath, Line(e))
	}
}

// Line is an Event as tests search for it: type, reason, message.
func Line(e *corev1.Event) string { return fmt.Sprintf("%s %s %s", e.Type, e.Reason, e.Message) }

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

func tailOf(text string, n int) string { return text[max(0, len(text)-n):] }
