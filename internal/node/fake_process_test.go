package node

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/internal/process"
)

// timeline is what happened in a test, one line each: "1.5s start server".
type timeline struct {
	begin time.Time

	mu    sync.Mutex
	lines []string // guarded by mu
}

func (l *timeline) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf("%v ", time.Since(l.begin))+fmt.Sprintf(format, args...))
}

// of are the lines of which the second word is one of those, all lines if there is none.
func (l *timeline) of(words ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for _, line := range l.lines {
		if len(words) == 0 || slices.Contains(words, strings.Fields(line)[1]) {
			lines = append(lines, line)
		}
	}
	return lines
}

// behaviour is how a program behaves that is started once.
type behaviour struct {
	startErr  error
	listens   string        // on the port in this variable, or on this number
	output    string        // to standard output, at once
	life      time.Duration // it exits by itself after that; 0 means never
	code      int           // with which it exits by itself
	term      time.Duration // how long it runs on after the stop signal
	stubborn  bool          // it ignores the stop signal
	killTakes time.Duration // how long its tree is there after SIGKILL
	loopback  bool          // it listens on 127.0.0.1 only
	noHandler bool          // it has no handler for its stop signal
}

// fakeStarter starts fake processes. It is safe for concurrent use.
type fakeStarter struct {
	log     *timeline
	sockets *fakeSockets

	mu       sync.Mutex             // guards what follows
	programs map[string][]behaviour // by the first word; the last one for ever
	started  []*fakeProcess
}

// program says how a program behaves in its first run, its second and so on.
func (s *fakeStarter) program(name string, runs ...behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.programs[name] = runs
}

// Start implements [process.Starter].
func (s *fakeStarter) Start(spec process.Spec) (process.Process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := spec.Argv[0]
	var b behaviour
	if runs := s.programs[name]; len(runs) > 0 {
		b = runs[0]
		if len(runs) > 1 {
			s.programs[name] = runs[1:]
		}
	}
	if b.startErr != nil {
		s.log.add("fail %s", name)
		return nil, b.startErr
	}
	s.log.add("start %s", name)
	p := &fakeProcess{behaviour: b, name: name, spec: spec, pid: 1001 + len(s.started), log: s.log, sockets: s.sockets,
		startedAt: time.Now(), done: make(chan struct{})}
	s.started = append(s.started, p)
	if b.output != "" {
		if _, err := spec.Stdout.WriteString(b.output); err != nil {
			return nil, err
		}
	}
	if b.listens != "" {
		s.sockets.listen(p.port(), p.pid)
		s.sockets.bind(p.pid, b.loopback)
	}
	if b.life > 0 {
		time.AfterFunc(b.life, func() { p.end(process.Exit{Code: b.code}) })
	}
	return p, nil
}

// runs are the processes of a program, in the order of their starts.
func (s *fakeStarter) runs(name string) []*fakeProcess {
	s.mu.Lock()
	defer s.mu.Unlock()
	var some []*fakeProcess
	for _, p := range s.started {
		if p.name == name {
			some = append(some, p)
		}
	}
	return some
}

// byPID is the process of that number.
func (s *fakeStarter) byPID(pid int) *fakeProcess {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.started {
		if p.pid == pid {
			return p
		}
	}
	return nil
}

func (s *fakeStarter) defaultAction(pid int, _ syscall.Signal) (bool, error) {
	p := s.byPID(pid)
	if p == nil || p.isDone() {
		return false, os.ErrNotExist
	}
	return p.noHandler, nil
}

func (s *fakeStarter) command(pid int) string {
	if p := s.byPID(pid); p != nil {
		return p.name
	}
	return ""
}

// alive lists the programs that run.
func (s *fakeStarter) alive() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, p := range s.started {
		if !p.isDone() {
			names = append(names, p.name)
		}
	}
	return names
}

// fakeProcess is a process that only tells the timeline what happens to it.
type fakeProcess struct {
	behaviour
	name      string
	spec      process.Spec
	pid       int
	log       *timeline
	sockets   *fakeSockets
	startedAt time.Time
	done      chan struct{}

	mu     sync.Mutex
	ending bool         // guarded by mu
	exit   process.Exit // guarded by mu
}

func (p *fakeProcess) PID() int              { return p.pid }
func (p *fakeProcess) StartedAt() time.Time  { return p.startedAt }
func (p *fakeProcess) Done() <-chan struct{} { return p.done }

func (p *fakeProcess) isDone() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *fakeProcess) Exit() process.Exit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exit
}

func (p *fakeProcess) Signal(sig syscall.Signal) error {
	if p.isDone() {
		return os.ErrProcessDone
	}
	p.log.add("signal %s %s", p.name, unix.SignalName(sig))
	if !p.stubborn {
		time.AfterFunc(p.term, func() { p.end(process.Exit{Code: 128 + int(sig), Signal: sig}) })
	}
	return nil
}

func (p *fakeProcess) Kill() error {
	if p.isDone() {
		return os.ErrProcessDone
	}
	p.log.add("kill %s", p.name)
	time.AfterFunc(p.killTakes, func() { p.end(process.Exit{Code: 137, Signal: syscall.SIGKILL}) })
	return nil
}

func (p *fakeProcess) end(exit process.Exit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ending {
		return
	}
	p.ending = true
	exit.At = time.Now()
	p.exit = exit
	p.log.add("exit %s %d", p.name, exit.Code)
	if p.listens != "" {
		p.sockets.close(p.pid)
	}
	close(p.done)
}

// env is a variable of the process.
func (p *fakeProcess) env(name string) string {
	for _, entry := range p.spec.Env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// port is where the process listens.
func (p *fakeProcess) port() int {
	text := p.listens
	if value := p.env(text); value != "" {
		text = value
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return port
}

// fakeSockets knows which process listens on which port, and which is dead. It is safe for
// concurrent use.
type fakeSockets struct {
	mu      sync.Mutex   // guards what follows
	holders map[int]int  // process ids, by port
	dead    int          // the process id that the kernel calls dead
	local   map[int]bool // process ids that listen on 127.0.0.1 only
}

// bind says on which addresses a process listens.
func (s *fakeSockets) bind(pid int, loopback bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.local == nil {
		s.local = map[int]bool{}
	}
	s.local[pid] = loopback
}

// held are the sockets of some processes.
func (s *fakeSockets) held(pids []int) ([]process.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []process.Listener
	for port, pid := range s.holders {
		if !slices.Contains(pids, pid) {
			continue
		}
		l := process.Listener{Port: port, Addr: netip.IPv6Unspecified()}
		if s.local[pid] {
			l.Addr = loopbackAddr
		}
		all = append(all, l)
	}
	return all, nil
}

func (s *fakeSockets) isDead(pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead == pid
}

func (s *fakeSockets) die(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = pid
}

func (s *fakeSockets) listen(port, pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holders[port] = pid
}

func (s *fakeSockets) close(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.holders, func(_, holder int) bool { return holder == pid })
}

// Owns implements [identity].
func (s *fakeSockets) Owns(tree func() ([]int, error), port int) (process.Ownership, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own, err := tree()
	o := process.Ownership{Addr: loopbackAddr, Owner: process.Nobody}
	if pid, ok := s.holders[port]; ok {
		o.Bound = loopbackAddr
		o.Owner, o.PID, o.Command = process.Stranger, pid, "stranger"
		if slices.Contains(own, pid) {
			o.Owner = process.Own
		}
	}
	return o, err
}

// fakeTree is the tree of a fake process: itself.
func fakeTree(p process.Process) ([]int, error) {
	if p.(*fakeProcess).isDone() {
		return nil, nil
	}
	return []int{p.PID()}, nil
}
