package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Shepherd is Probity's side of the shepherd process, which the package comment explains: a Starter
// whose processes end with it. It is safe for concurrent use. It owns two goroutines, which end
// with the shepherd process; Close waits for the one that talks to it, and for those that answer
// the connects of processes.
type Shepherd struct {
	cmd    *exec.Cmd
	conn   *conn
	stderr *limitedBuffer
	done   chan struct{}
	notice func(string)
	limits answerLimits

	mu        sync.Mutex // guards the fields below
	last      uint64
	calls     map[uint64]call
	processes map[uint64]*shepherdProcess // by the call of their start; those that run
	closing   bool
	examining bool
	received  int // messages, of any kind
	err       error

	watches sync.WaitGroup // of the connects of processes
}

// call is a request that waits for its answer.
type call struct {
	command command     // of a start; of a try only the namespace
	answer  chan answer // has room for one
}

type answer struct {
	call    uint64 // the number of the request
	process *shepherdProcess
	err     error
}

// ShepherdOptions are what a [Shepherd] does besides. The zero value is nothing.
type ShepherdOptions struct {
	// Remove are folders that the shepherd process removes with all that is in them when it ends,
	// also if this process was killed. Default: none.
	Remove []string
	// Reaper has a further process end what is left if this process and the shepherd process are
	// both killed at once; it takes a few megabytes. Default: not, and what the started processes
	// have forked is left then.
	Reaper bool
	// Notice gets what a person should know about the shepherd process, from any goroutine; it must
	// not wait. Default: nobody is told.
	Notice func(line string)
}

// NewShepherd starts the shepherd process. It does not wait for it to be ready; requests queue up
// meanwhile. The main function of the running program must begin as [ShepherdMain] says. Close ends
// it.
func NewShepherd(opts ShepherdOptions) (*Shepherd, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	c, err := newConn(ours)
	if err != nil {
		return nil, err
	}
	s := &Shepherd{
		conn: c, stderr: &limitedBuffer{}, done: make(chan struct{}), notice: opts.Notice, limits: answerLimits{resume: time.Second, kill: 10 * time.Second, spin: time.Minute},
		calls: map[uint64]call{}, processes: map[uint64]*shepherdProcess{},
	}
	if s.notice == nil {
		s.notice = func(string) {}
	}
	args := shepherdArgs(os.Getpid())
	if opts.Reaper {
		args = reaperArgs(os.Getpid())
	}
	s.cmd = &exec.Cmd{
		// The running binary, even if its file was replaced.
		Path:       "/proc/self/exe",
		Args:       append(args, opts.Remove...),
		ExtraFiles: []*os.File{theirs}, // becomes shepherdFD
		Stderr:     s.stderr,
		// Ctrl-C at a terminal shall reach Probity alone.
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
		WaitDelay:   time.Second,
	}
	if err := s.cmd.Start(); err != nil {
		c.close()
		return nil, fmt.Errorf("cannot start the shepherd process: %w", err)
	}
	go s.run()
	go s.watchStops()
	return s, nil
}

// Start starts spec; see [Starter].
func (s *Shepherd) Start(spec Spec) (Process, error) {
	c, err := resolve(spec)
	if err != nil {
		return nil, err
	}
	var files [filesPerStart]int
	for i, file := range []*os.File{spec.Stdin, spec.Stdout, spec.Stderr} {
		if file == nil {
			mode := os.O_WRONLY
			if i == 0 {
				mode = os.O_RDONLY
			}
			if file, err = os.OpenFile(os.DevNull, mode, 0); err != nil {
				return nil, startError(c.argv[0], c.path, c.dir, stepFiles, cause(err))
			}
			defer file.Close()
		}
		// Fd also makes it blocking, as programs expect of their streams.
		if files[i] = int(file.Fd()); files[i] < 0 {
			return nil, startError(c.argv[0], c.path, c.dir, stepFiles, os.ErrClosed)
		}
	}
	a := s.call(message{verb: verbStart, command: c}, files[:]...)
	runtime.KeepAlive(spec)
	if a.err != nil {
		return nil, a.err
	}
	return a.process, nil
}

// Done is closed when the shepherd process has ended and nothing is left of the processes that it
// started.
func (s *Shepherd) Done() <-chan struct{} { return s.done }

// Err is why the shepherd ended: nil before that and after Close, else an error that matches
// [ErrShepherdGone]. A new Shepherd can be started then.
func (s *Shepherd) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close kills all processes that still run, ends the shepherd and waits for it. It can be called
// more than once.
func (s *Shepherd) Close() error { return s.CloseWithin(3 * KillBound) }

// CloseWithin is [Shepherd.Close] with another limit for the shepherd's part: then it is killed,
// and this process kills what is left.
func (s *Shepherd) CloseWithin(limit time.Duration) error {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	// The shepherd sees the end of requests, and can still report exits.
	_ = s.conn.socket.CloseWrite()         // an error means that it is gone already
	_ = s.cmd.Process.Signal(unix.SIGCONT) // if it was stopped
	stuck := time.AfterFunc(limit, func() { _ = s.cmd.Process.Kill() })
	defer stuck.Stop()
	<-s.done
	return s.Err()
}

// call sends a request and waits for the answer, or for the end of the shepherd. If that takes long
// the shepherd is examined.
func (s *Shepherd) call(m message, files ...int) answer {
	overdue := time.AfterFunc(s.limits.resume, s.examine)
	defer overdue.Stop()
	return s.request(m, files...)
}

func (s *Shepherd) request(m message, files ...int) answer {
	c := call{command: m.command, answer: make(chan answer, 1)}
	s.mu.Lock()
	s.last++
	m.call = s.last
	s.calls[m.call] = c
	s.mu.Unlock()
	if err := s.conn.send(m, files...); err != nil {
		s.mu.Lock()
		delete(s.calls, m.call)
		s.mu.Unlock()
		return answer{err: fmt.Errorf("%w: %w", ErrShepherdGone, err)}
	}
	select {
	case a := <-c.answer:
		return a
	case <-s.done:
	}
	select {
	case a := <-c.answer: // it came just before the end
		return a
	default:
		return answer{err: s.goneError()}
	}
}

func (s *Shepherd) goneError() error {
	if err := s.Err(); err != nil {
		return err
	}
	return ErrShepherdGone
}

// run receives the messages of the shepherd until it ends, and then kills and reaps what it has
// left.
func (s *Shepherd) run() {
	var err error
	for err == nil {
		var m message
		if m, err = s.conn.receive(); err == nil {
			s.receive(m)
		}
	}
	s.conn.close()
	waitErr := s.cmd.Wait()
	s.mu.Lock()
	left := s.processes
	s.processes = map[uint64]*shepherdProcess{}
	if !s.closing {
		s.err = s.endError(waitErr)
	}
	s.mu.Unlock()
	if waitErr != nil || len(left) > 0 {
		killOrphans(left)
	}
	for _, p := range left {
		p.end(Exit{Code: 128 + int(unix.SIGKILL), Signal: unix.SIGKILL, At: time.Now()})
	}
	s.watches.Wait()
	close(s.done)
}

// endError says why the shepherd process has ended.
func (s *Shepherd) endError(waitErr error) error {
	how := "by itself"
	if waitErr != nil {
		how = waitErr.Error()
	}
	if printed := s.stderr.String(); printed != "" {
		how += ": " + printed
	}
	return fmt.Errorf("%w: %s", ErrShepherdGone, how)
}

func (s *Shepherd) receive(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received++
	if m.verb == verbExited {
		if p := s.processes[m.process]; p != nil {
			delete(s.processes, m.process)
			p.end(exitFrom(m))
		}
		return
	}
	c, ok := s.calls[m.call]
	if !ok {
		return
	}
	delete(s.calls, m.call)
	switch m.verb {
	case verbStarted:
		p := &shepherdProcess{shepherd: s, id: m.process, pid: int(m.pid), startedAt: instant(m.at), done: make(chan struct{})}
		if m.item == 1 {
			p.watch = s.watchConnects(c.command)
		}
		s.processes[p.id] = p
		c.answer <- answer{process: p}
	case verbFailed:
		c.answer <- answer{err: failure(c.command, m)}
	case verbAnswered:
		c.answer <- answer{call: m.call, err: errnoError(m.errno)}
	}
}

// failure is the error of a start, or of a try, which has no program.
func failure(c command, m message) error {
	errno := syscall.Errno(m.errno)
	switch refused := namespaceError(c.namespace, m.step, m.item, errno); {
	case len(c.argv) == 0 && m.step == stepWatch:
		return errno
	case len(c.argv) == 0:
		return refused
	case m.step >= stepUnshare:
		return startError(c.argv[0], c.path, c.dir, m.step, refused)
	}
	return startError(c.argv[0], c.path, c.dir, m.step, errno)
}

func exitFrom(m message) Exit {
	var survivors []int
	for _, pid := range m.survivors {
		survivors = append(survivors, int(pid))
	}
	exit := exitOf(syscall.WaitStatus(m.status), instant(m.at), survivors)
	exit.OutOfMemory = m.outOfMemory == 1 && exit.Signal == syscall.SIGKILL
	return exit
}

func errnoError(errno uint64) error {
	if errno == 0 {
		return nil
	}
	return done(syscall.Errno(errno))
}

// instant turns a time of the shared clock into one that can be compared with time.Now, immune to
// changes of the wall clock.
func instant(at uint64) time.Time {
	return time.Now().Add(-time.Duration(monotonic() - at))
}

// limitedBuffer keeps the first maxStderr bytes that the shepherd writes to its standard error:
// enough to say why it ended.
type limitedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

const maxStderr = 2 << 10

func (t *limitedBuffer) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p[:min(len(p), max(0, maxStderr-t.buf.Len()))])
	return len(p), nil
}

func (t *limitedBuffer) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf.Bytes()))
}

var _ Starter = (*Shepherd)(nil)
