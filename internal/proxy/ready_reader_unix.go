//go:build unix

package proxy

import (
	"io"

	"golang.org/x/sys/unix"
)

// wait reads as soon as there is something.
func (r *readyReader) wait() error {
	r.n, r.err = 0, nil
	if err := r.raw.Read(r.attempt); err != nil {
		return err
	}
	if r.n == 0 && r.err == nil {
		return io.EOF
	}
	return r.err
}

// tryRead reads if there is something, and reports whether the wait is over.
func (r *readyReader) tryRead(fd uintptr) bool {
	r.buffer = r.buffers.Get()
	n, err := unix.Read(int(fd), r.buffer)
	for err == unix.EINTR {
		n, err = unix.Read(int(fd), r.buffer)
	}
	if n > 0 {
		r.n = n
		return true
	}
	r.buffers.Put(r.buffer)
	r.buffer = nil
	if err == unix.EAGAIN {
		return false
	}
	r.err = err
	return true
}
