package proxy

import (
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// pipe carries bytes from one connection to another within the kernel: splice(2). Unlike
// [net.TCPConn.ReadFrom] it knows whose error it was, and shows progress.
type pipe struct {
	out, in     int                // its ends
	fill, drain func(uintptr) bool // made once to save allocations
	took        func()             // called when something was drained; nil: nobody wants to know

	// of the current move
	most, n int
	err     error
}

const (
	// minSplice is how much has to be left of a body so that a pipe pays.
	minSplice = 64 << 10
	// maxSplice is how much is moved at a time, and the size of a pipe.
	maxSplice = 1 << 20
	// maxPipes is how many pipes there are at most, of two descriptors each. Bodies that find none
	// are copied.
	maxPipes = 32
)

// pipes are those that nobody uses. The zero value is ready.
type pipes struct {
	mu     sync.Mutex // guards the rest
	unused []*pipe
	made   int
	closed bool
}

// take returns a pipe, or nil if there is none. put or drop has to follow.
func (p *pipes) take() *pipe {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.unused); n > 0 {
		one := p.unused[n-1]
		p.unused = p.unused[:n-1]
		return one
	}
	if p.closed || p.made >= maxPipes {
		return nil
	}
	var ends [2]int
	if unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
		return nil // too much is open: bodies are copied
	}
	// it works with less, too
	_, _ = unix.FcntlInt(uintptr(ends[1]), unix.F_SETPIPE_SZ, maxSplice)
	p.made++
	one := &pipe{out: ends[0], in: ends[1]}
	one.fill, one.drain = one.fillFrom, one.drainTo
	return one
}

// put gives an empty pipe back.
func (p *pipes) put(one *pipe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one.took = nil
	if p.closed {
		p.dropLocked(one)
		return
	}
	p.unused = append(p.unused, one)
}

// drop closes a pipe that may not be empty.
func (p *pipes) drop(one *pipe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropLocked(one)
}

func (p *pipes) dropLocked(one *pipe) {
	_, _ = unix.Close(one.out), unix.Close(one.in)
	p.made--
}

// close closes all pipes, and those that come back later.
func (p *pipes) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, one := range p.unused {
		p.dropLocked(one)
	}
	p.unused = nil
}

// fillFrom takes from a connection what is there, and never waits.
func (p *pipe) fillFrom(fd uintptr) bool {
	p.n, p.err = spliceOnce(int(fd), p.in, p.most)
	return true
}

// drainTo gives a connection what is in the pipe, and reports whether that is over.
func (p *pipe) drainTo(fd uintptr) bool {
	for p.n > 0 {
		n, err := spliceOnce(p.out, int(fd), p.n)
		switch {
		case err == unix.EAGAIN:
			return false
		case err != nil:
			p.err = err
			return true
		}
		p.n -= n
		p.took()
	}
	return true
}

func spliceOnce(from, to, most int) (n int, err error) {
	for {
		moved, err := unix.Splice(from, nil, to, nil, most, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if err != unix.EINTR {
			return int(max(moved, 0)), err
		}
	}
}

// splice passes on what has come of a body, if much is left of it, and reports whether it did. If
// not, it has to be waited for, or copied. The error is that of the endpoint.
func (x *http1Exchange) splice(up *upstreamConn) (bool, error) {
	plain := x.answerBody.Plain()
	if plain < minSplice {
		return false, nil
	}
	all := &x.conn.port.proxy.pipes
	p := all.take()
	if p == nil {
		return false, nil
	}
	p.most = int(min(plain, maxSplice))
	err := up.in.raw.Read(p.fill)
	if err == nil {
		err = p.err
	}
	if err != nil || p.n == 0 {
		all.put(p) // somebody else's from here on
		switch {
		case err == unix.EAGAIN:
			return false, nil
		case err == nil && !x.answerBody.EndOfConnection():
			err = io.EOF
		}
		return true, err
	}
	x.answerBody.Skip(int64(p.n))
	if x.drain(p) != nil {
		all.drop(p)
		x.clientGone()
		return true, nil
	}
	all.put(p)
	return true, nil
}

// drain writes what is in a pipe to the client, as write does.
func (x *http1Exchange) drain(p *pipe) error {
	c := x.conn
	c.mark.enter(phaseTaking)
	broken := false
	p.took = func() { broken = c.mark.enter(phaseTaking) || broken }
	err := c.in.raw.Write(p.drain)
	if err == nil {
		err = p.err
	}
	if broken = c.mark.enter(phaseWaiting) || broken; broken && err == nil { // it has taken the rest at the last moment
		c.resume(c.SetWriteDeadline)
	}
	return err
}
