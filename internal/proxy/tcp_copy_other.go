//go:build !unix

package proxy

import (
	"net"
	"syscall"
)

// readReady reads into a buffer of the pool, which the caller puts back.
func readReady(conn *net.TCPConn, _ syscall.RawConn, buffers *bufferPool) (buffer []byte, n int, err error) {
	buffer = buffers.Get()
	n, err = conn.Read(buffer)
	return buffer, n, err
}
