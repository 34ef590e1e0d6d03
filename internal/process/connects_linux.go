package process

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TryConnects finds out whether this machine lets connects be watched, see [Spec.Connects], by
// doing it. Nothing is left of it.
func (s *Shepherd) TryConnects() error {
	// Sandboxes refuse this apart from the rest.
	sample := uintptr(unsafe.Pointer(unsafe.StringData(shepherdName))) // it stays where it is
	if _, err := readMemory(os.Getpid(), unix.RemoteIovec{Base: sample, Len: len(shepherdName)}); err != nil {
		return fmt.Errorf("the memory of a program cannot be read: %w", err)
	}
	return s.call(message{verb: verbTry, command: command{watched: true}}).err
}

// watch answers the connects of a process and of what it forks, as long as one of them lives. It
// is in Probity and not in the shepherd, because what a connection is led to is: without Probity
// there is neither, and the shepherd kills the process.
type watch struct {
	listener *os.File
	route    func(Connect) Route
	size     notifySizes
	stopOnce sync.Once
	stopped  chan struct{}
	answers  sync.WaitGroup // each connect has a goroutine: a program has many at a time

	mu       sync.Mutex
	attempts map[uint64]*attempt // guarded by mu: by the cookies of their sockets
}

// watchConnects takes the listener that came with a start. Without one, every connect of the
// process fails.
func (s *Shepherd) watchConnects(c command) *watch {
	w, err := s.newWatch(c.connects)
	if err != nil {
		s.notice(fmt.Sprintf("probity: %s cannot connect to anything: %v", c.argv[0], err))
		return nil
	}
	s.watches.Go(w.run)
	return w
}

func (s *Shepherd) newWatch(route func(Connect) Route) (*watch, error) {
	files, err := s.conn.takeFiles()
	if err != nil {
		return nil, err
	}
	if files[0] < 0 {
		return nil, fmt.Errorf("cannot watch its connections: %w", unix.EMFILE)
	}
	size, err := readNotifySizes()
	if err == nil {
		err = unix.SetNonblock(files[0], true) // so that Go's poller waits for it
	}
	if err != nil {
		unix.Close(files[0])
		return nil, fmt.Errorf("cannot watch its connections: %w", err)
	}
	unix.CloseOnExec(files[0])
	return &watch{
		listener: os.NewFile(uintptr(files[0]), "connects"), route: route, size: size,
		stopped: make(chan struct{}), attempts: map[uint64]*attempt{},
	}, nil
}

// stop ends it soon. It does not wait: see Shepherd.watches.
func (w *watch) stop() {
	w.stopOnce.Do(func() {
		close(w.stopped)
		w.listener.Close()
	})
}

// run answers until the last process is gone.
func (w *watch) run() {
	defer w.answers.Wait()
	defer w.stop()
	for {
		n, err := w.receive()
		if err != nil {
			return
		}
		w.answers.Go(func() {
			if n.call == unix.SYS_CONNECT {
				w.answer(n)
			} else {
				w.answerSend(n)
			}
		})
	}
}

// answer lets one connect go on.
func (w *watch) answer(n notification) {
	sock, err := w.fetch(n.pid, int(int32(n.args[0])), socketNameAt{uintptr(n.args[1]), int(int32(n.args[2]))})
	if err != nil {
		// The kernel knows what is wrong with it.
		_ = w.reply(n.id, reply{proceed: true})
		return
	}
	defer sock.close()
	a := w.enter(sock.cookie)
	defer w.leave(sock.cookie, a)
	// The number of the process may have become another's meanwhile.
	if w.valid(n.id) != nil {
		return
	}
	wanted := func() bool { return w.valid(n.id) == nil && !w.ended() }
	r := w.decide(sock, a, wanted)
	a.untold = w.reply(n.id, r) != nil && !r.proceed
	a.errno = r.errno
}

// decide makes the connection, or says that the kernel shall.
func (w *watch) decide(sock *programSocket, a *attempt, wanted func() bool) reply {
	switch {
	case a.untold && a.errno != unix.EINPROGRESS:
		return reply{errno: a.errno}
	case a.untold:
		return reply{errno: sock.connect(a.to, true, wanted)}
	case !sock.watched || sock.busy:
		return reply{proceed: true}
	}
	route := w.route(sock.want)
	switch a.to = route.To; {
	case route.Refused != 0:
		return reply{errno: route.Refused}
	case route.To.IsValid():
		return reply{errno: sock.connect(route.To, false, wanted)}
	}
	return reply{proceed: true}
}

// attempt is what is done for a socket. A program that is interrupted by a signal asks again, and
// gets the answer to what it asked first.
type attempt struct {
	turn   sync.Mutex // one call at a time
	calls  int        // that wait for it or have it; guarded by watch.mu
	to     netip.AddrPort
	errno  syscall.Errno
	untold bool // nobody waited for errno any more
}

// enter waits for the turn of a call of a socket.
func (w *watch) enter(cookie uint64) *attempt {
	w.mu.Lock()
	if w.attempts[cookie] == nil {
		w.attempts[cookie] = &attempt{}
	}
	a := w.attempts[cookie]
	a.calls++
	w.mu.Unlock()
	a.turn.Lock()
	return a
}

// maxUntold bounds what is remembered of sockets whose program has ended or thought better of it.
const maxUntold = 1024

// leave forgets a socket of which there is nothing left to tell.
func (w *watch) leave(cookie uint64, a *attempt) {
	a.turn.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	a.calls--
	if a.calls == 0 && !a.untold {
		delete(w.attempts, cookie)
	}
	if len(w.attempts) > maxUntold {
		maps.DeleteFunc(w.attempts, func(_ uint64, a *attempt) bool { return a.calls == 0 })
	}
}

func (w *watch) ended() bool {
	select {
	case <-w.stopped:
		return true
	default:
		return false
	}
}
