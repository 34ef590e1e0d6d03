package proxy

import (
	"net"
	"syscall"
)

// readyWriter writes to a connection. It belongs to one goroutine at a time.
type readyWriter struct {
	conn    *net.TCPConn
	raw     syscall.RawConn
	attempt func(fd uintptr) bool // the method tryWrite; made once to save an allocation

	// of the current write
	left []byte
	err  error
}

// init makes the writer ready. It must not be copied after that.
func (w *readyWriter) init(conn *net.TCPConn, raw syscall.RawConn) {
	w.conn, w.raw, w.attempt = conn, raw, w.tryWrite
}
