package proxy

import (
	"net"
	"syscall"
)

// readyReader reads from a connection into buffers that it borrows when there is something to read,
// so that a connection that waits holds none. It belongs to one goroutine at a time.
type readyReader struct {
	conn    *net.TCPConn
	raw     syscall.RawConn
	buffers lender
	attempt func(fd uintptr) bool // the method tryRead; made once to save an allocation

	// of the current read, or of the next one if that was done before
	ahead  bool
	buffer []byte
	n      int
	err    error
}

// init makes the reader ready. It must not be copied after that.
func (r *readyReader) init(conn *net.TCPConn, buffers lender) error {
	raw, err := conn.SyscallConn()
	r.conn, r.raw, r.buffers, r.attempt = conn, raw, buffers, r.tryRead
	return err
}

// read waits until something can be read. The caller puts the buffer back; it is nil if nothing
// came. The error is [io.EOF] at the end.
func (r *readyReader) read() (buffer []byte, n int, err error) {
	if !r.ahead {
		r.wait()
	}
	buffer, n, r.buffer, r.ahead = r.buffer, r.n, nil, false
	return buffer, n, r.err
}
