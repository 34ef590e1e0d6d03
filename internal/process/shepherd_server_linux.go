package process

import (
	"errors"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// server is the shepherd's own side of the socket: it carries out the requests of Probity and keeps
// the table of the processes that it has started. Everything but the two channels belongs to the
// goroutine of run. The goroutines that feed the channels end with the process.
type server struct {
	conn     *conn
	requests chan request    // closed when Probity is gone
	results  chan execResult // of starts
	made     chan madeResult // of first starts in a namespace

	children map[uint64]*child // started processes, by the call of their start
	byPID    map[int]*child    // those of them that were not reaped yet
	reported map[int]bool      // orphans that an exit has reported as survivors
	closing  bool              // Probity is gone: kill all and end

	namespaces map[string]*namespace // by their keys
	faults     []*childFault         // that children have
}

// request is a message from Probity with the descriptors that came along.
type request struct {
	message
	files []int
}

// execResult is what became of the execve of a child: errno is 0 if the program runs.
type execResult struct {
	child *child
	stepReport
	listener int // of its connects, 0 for none
}

// child is one process that the shepherd has started.
type child struct {
	id    uint64 // the call of its start
	pid   int
	state childState
	// reaped is set once status and exitedAt are known.
	reaped   bool
	status   syscall.WaitStatus
	exitedAt uint64
	// giveUpAt is when the exit is reported although orphans still live; zero until the first look
	// for them.
	giveUpAt time.Time
	// killed: it was sent SIGKILL, so that no fault can be done to it any more. outOfMemory:
	// because of its FaultMemory.
	killed, outOfMemory bool
}

type childState uint8

const (
	starting childState = iota // forked; the result of execve is not known
	running                    // executed; may have been reaped already
	failed                     // execve failed; kept until it is reaped
	trying                     // has no program: it tries to make a namespace
)

func newServer() (*server, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, err
	}
	c, err := newConn(os.NewFile(shepherdFD, "probity"))
	if err != nil {
		return nil, err
	}
	return &server{
		conn:     c,
		requests: make(chan request), results: make(chan execResult), made: make(chan madeResult),
		children: map[uint64]*child{}, byPID: map[int]*child{}, reported: map[int]bool{}, namespaces: map[string]*namespace{},
	}, nil
}

// orphanPeriod is how often orphans are looked for while some are being killed. A death normally
// wakes the shepherd sooner.
const orphanPeriod = 5 * time.Millisecond

// startTime is how long it takes until the first programs run and what is used of the shepherd's
// own code is little: earlier, pages that are given back would be read again at once.
const startTime = 5 * time.Second

// run serves Probity until it is gone and no child is left.
func (s *server) run() {
	started := time.After(startTime)
	deaths := make(chan os.Signal, 1)
	signal.Notify(deaths, unix.SIGCHLD)
	go s.receiveRequests()
	requests := s.requests
	var deadline time.Time
	var left []effect
	for {
		var again <-chan time.Time
		childless := s.reap()
		if !s.reportExits() || s.closing {
			again = time.After(orphanPeriod)
		}
		if s.closing {
			if childless || time.Now().After(deadline) {
				for _, effect := range left {
					_ = effect.undo() // else the next group of ours removes its group
				}
				return
			}
			killDescendants(os.Getpid())
		}
		due := s.dueFaults()
		select {
		case r, ok := <-requests:
			if !ok {
				s.closing, requests, deadline = true, nil, time.Now().Add(2*KillBound)
				left = s.abandon()
				continue
			}
			s.serve(r)
		case r := <-s.results:
			s.executed(r)
		case r := <-s.made:
			s.namespaceMade(r)
		case <-deaths:
		case <-again:
		case <-due:
		case <-started:
			_ = DropFilePages() // if not, it is only memory
		}
	}
}

// receiveRequests passes requests on until Probity is gone.
func (s *server) receiveRequests() {
	defer close(s.requests)
	for {
		m, err := s.conn.receive()
		if err != nil {
			return // gone, or a message is malformed: the shepherd ends in both cases
		}
		r := request{message: m}
		if m.verb == verbStart {
			if r.files, err = s.conn.takeFiles(); err != nil {
				return
			}
		}
		s.requests <- r
	}
}

func (s *server) serve(r request) {
	switch r.verb {
	case verbStart:
		s.start(r)
	case verbSignal:
		s.answer(r, func(pid int) error { return signalGroup(pid, syscall.Signal(r.signal)) })
	case verbKill:
		s.answer(r, func(int) error { return s.kill(s.children[r.process]) })
	case verbTry:
		s.try(r.message)
	case verbForget:
		s.forget(r.message)
	case verbInject:
		s.inject(r.message)
	case verbUndo:
		s.undo(r.message)
	}
}

// kill sends SIGKILL to a child that was not reaped, and to its tree.
func (s *server) kill(c *child) error {
	c.killed = true
	// The group first: one signal reaches all of it at once.
	err := signalGroup(c.pid, unix.SIGKILL)
	killTree(c.pid)
	return err
}

func (s *server) start(r request) {
	if r.command.namespace.Key != "" {
		s.startIn(r)
		return
	}
	s.launch(r, namespaceFiles{}, nil)
}

// launch forks a child for a start. It joins namespaces, or makes the one that is not nil.
func (s *server) launch(r request, join namespaceFiles, make *namespace) {
	defer closeAll(r.files)
	making := makingChild{key: r.command.namespace.Key, namespace: make}
	err := error(unix.EMFILE)
	var pid int
	if !slices.Contains(r.files, -1) {
		pid, making.reports, err = fork(r.command, [3]int(r.files), join, make != nil)
	}
	if err != nil {
		s.send(message{verb: verbFailed, call: r.call, step: stepFork, errno: errnoOf(err)})
		if make != nil {
			s.namespaceMade(madeResult{making: making, errno: unix.ECANCELED})
		}
		return
	}
	c := &child{id: r.call, pid: pid}
	s.children[c.id], s.byPID[pid] = c, c
	// execve may take long, from a slow disk: nobody else shall wait for it.
	go func() {
		result := execResult{child: c}
		if make != nil {
			result.stepReport = s.finishNamespace(pid, making)
		}
		if result.errno == 0 && r.command.watched {
			result.listener, result.stepReport = takeListener(pid, making.reports)
		}
		if result.errno == 0 {
			result.step, result.errno = readErrorPipe(making.reports)
		} else {
			making.reports.Close()
		}
		s.results <- result
	}()
}

func (s *server) executed(r execResult) {
	c := r.child
	if r.errno == 0 {
		c.state = running
		started := message{verb: verbStarted, call: c.id, process: c.id, pid: uint64(c.pid), at: monotonic()}
		if r.listener == 0 {
			s.send(started)
			return
		}
		started.item = 1
		_ = s.conn.send(started, r.listener) // as send
		unix.Close(r.listener)
		return
	}
	if r.listener != 0 {
		unix.Close(r.listener)
	}
	c.state = failed
	s.send(message{verb: verbFailed, call: c.id, step: r.step, errno: uint64(r.errno), item: r.item})
	if c.reaped {
		delete(s.children, c.id)
	}
}

// answer does something to a child that was not reaped, so that its pid cannot be another
// process's.
func (s *server) answer(r request, act func(pid int) error) {
	err := error(unix.ESRCH)
	if c := s.children[r.process]; c != nil && !c.reaped {
		err = act(c.pid)
	}
	s.send(message{verb: verbAnswered, call: r.call, errno: errnoOf(err)})
}

// send writes to Probity. If Probity is gone nobody needs the message, and receiveRequests notices.
func (s *server) send(m message) { _ = s.conn.send(m) }

func closeAll(files []int) {
	for _, fd := range files {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

func errnoOf(err error) uint64 {
	if err == nil {
		return 0
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return uint64(errno)
	}
	return uint64(unix.EIO)
}

// monotonic is a clock that both sides of the socket share.
func monotonic() uint64 {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return 0
	}
	return uint64(now.Nano())
}
