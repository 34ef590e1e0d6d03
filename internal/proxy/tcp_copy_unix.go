//go:build unix

package proxy

import (
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// readReady waits until a connection can be read, and only then takes a buffer of the pool to read
// into. The caller puts it back; it is nil if nothing came.
func readReady(_ *net.TCPConn, raw syscall.RawConn, buffers *bufferPool) (buffer []byte, n int, err error) {
	waitErr := raw.Read(func(fd uintptr) bool {
		buffer = buffers.Get()
		for n, err = unix.Read(int(fd), buffer); err == unix.EINTR; {
			n, err = unix.Read(int(fd), buffer)
		}
		if n > 0 {
			return true
		}
		buffers.Put(buffer)
		buffer = nil
		return err != unix.EAGAIN
	})
	switch {
	case waitErr != nil:
		return buffer, 0, waitErr
	case n == 0 && err == nil:
		return nil, 0, io.EOF
	case err != nil:
		return nil, 0, err
	}
	return buffer, n, nil
}
