//go:build unix

package proxy

import (
	"io"

	"golang.org/x/sys/unix"
)

// wait reads as soon as there is something.
func (r *readyReader) wait() {
	r.n, r.err = 0, nil
	r.waited(r.raw.Read(r.attempt))
}

// waited notes how a wait has ended in which tryRead was called.
func (r *readyReader) waited(err error) {
	switch {
	case err != nil:
		r.err = err
	case r.n == 0 && r.err == nil:
		r.err = io.EOF
	}
}

// tryRead reads if there is something, and reports whether the wait is over.
func (r *readyReader) tryRead(fd uintptr) bool {
	r.buffer = r.buffers.Get()
	if r.n, r.err = readNow(fd, r.buffer); r.n > 0 {
		return true
	}
	r.buffers.Put(r.buffer)
	r.buffer = nil
	return r.err != unix.EAGAIN
}
