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

// herd is the shepherd's view of its children. Everything but the two channels
// belongs to the goroutine of run. The goroutines that feed the channels end with
// the process.
type herd struct {
	conn     *conn
	devNull  int
	requests chan request // closed when Probity is gone
	reports  chan report

	sheep   map[uint64]*sheep // by the call of their start
	byPID   map[int]*sheep    // those that were not reaped yet
	given   map[int]bool      // leavings that were reported as survivors
	closing bool              // Probity is gone: kill and end
}

// request is a message from Probity with what came along.
type request struct {
	message
	files []int
}

// report is what became of execve.
type report struct {
	sheep *sheep
	stage stage
	errno syscall.Errno
}

// sheep is one started process.
type sheep struct {
	id    uint64
	pid   int
	state sheepState
	// reaped says that status and exitedAt are known.
	reaped   bool
	status   syscall.WaitStatus
	exitedAt uint64
	patience time.Time // how long its leavings may take to die; set when first seen
}

type sheepState uint8

const (
	starting sheepState = iota // forked; execve not reported
	running                    // executed; may have been reaped already
	failed                     // execve failed; kept until it is reaped
)

func newHerd() (*herd, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, err
	}
	c, err := newConn(os.NewFile(shepherdFD, "probity"))
	if err != nil {
		return nil, err
	}
	devNull, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &herd{
		conn: c, devNull: devNull,
		requests: make(chan request), reports: make(chan report),
		sheep: map[uint64]*sheep{}, byPID: map[int]*sheep{}, given: map[int]bool{},
	}, nil
}

// sweepPeriod is how often leavings are looked for while some are being killed. A
// death normally wakes the shepherd sooner.
const sweepPeriod = 5 * time.Millisecond

// run serves Probity until it is gone and no child is left.
func (h *herd) run() {
	deaths := make(chan os.Signal, 1)
	signal.Notify(deaths, unix.SIGCHLD)
	go h.listen()
	requests := h.requests
	var deadline time.Time
	for {
		var again <-chan time.Time
		childless := h.reap()
		if !h.sweep() || h.closing {
			again = time.After(sweepPeriod)
		}
		if h.closing {
			if childless || time.Now().After(deadline) {
				return
			}
			killTreeBelow(os.Getpid())
		}
		select {
		case r, ok := <-requests:
			if !ok {
				h.closing, requests, deadline = true, nil, time.Now().Add(2*KillBound)
				continue
			}
			h.serve(r)
		case r := <-h.reports:
			h.executed(r)
		case <-deaths:
		case <-again:
		}
	}
}

// listen passes requests on until Probity is gone.
func (h *herd) listen() {
	defer close(h.requests)
	for {
		m, err := h.conn.receive()
		if err != nil {
			return // gone, or out of its mind: the end is the same
		}
		r := request{message: m}
		if m.verb == verbStart {
			if r.files, err = h.conn.takeFiles(); err != nil {
				return
			}
		}
		h.requests <- r
	}
}

func (h *herd) serve(r request) {
	switch r.verb {
	case verbStart:
		h.start(r)
	case verbSignal:
		h.answer(r, func(pid int) error { return signalGroup(pid, syscall.Signal(r.signal)) })
	case verbKill:
		h.answer(r, func(pid int) error {
			// The group first, because it dies in one stroke.
			err := signalGroup(pid, unix.SIGKILL)
			killTree(pid)
			return err
		})
	}
}

func (h *herd) start(r request) {
	defer closeAll(r.files)
	if slices.Contains(r.files, -1) {
		h.send(message{verb: verbFailed, call: r.call, stage: stageFork, errno: uint64(unix.EMFILE)})
		return
	}
	pid, result, err := fork(r.command, [3]int{h.devNull, r.files[0], r.files[1]})
	if err != nil {
		h.send(message{verb: verbFailed, call: r.call, stage: stageFork, errno: errnoOf(err)})
		return
	}
	s := &sheep{id: r.call, pid: pid}
	h.sheep[s.id], h.byPID[pid] = s, s
	// execve may take long, from a slow disk: nobody else shall wait for it.
	go func() {
		at, errno := readReport(result)
		h.reports <- report{sheep: s, stage: at, errno: errno}
	}()
}

func (h *herd) executed(r report) {
	s := r.sheep
	if r.errno == 0 {
		s.state = running
		h.send(message{verb: verbStarted, call: s.id, sheep: s.id, pid: uint64(s.pid), at: monotonic()})
		return
	}
	s.state = failed
	h.send(message{verb: verbFailed, call: s.id, stage: r.stage, errno: uint64(r.errno)})
	if s.reaped {
		delete(h.sheep, s.id)
	}
}

// answer carries act out on a process that was not reaped, so that its pid cannot
// mean another one.
func (h *herd) answer(r request, act func(pid int) error) {
	err := error(unix.ESRCH)
	if s := h.sheep[r.sheep]; s != nil && !s.reaped {
		err = act(s.pid)
	}
	h.send(message{verb: verbAnswered, call: r.call, errno: errnoOf(err)})
}

// send tells Probity. If it is gone nobody needs to know, and listen notices.
func (h *herd) send(m message) { _ = h.conn.send(m) }

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
