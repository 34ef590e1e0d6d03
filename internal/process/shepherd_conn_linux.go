package process

import (
	"fmt"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// conn is one end of the socket between Probity and the shepherd. One goroutine may receive while
// any number send.
type conn struct {
	socket *net.UnixConn

	sending sync.Mutex // one frame at a time

	// Of the receiver alone: bytes and descriptors that arrived and were not handed out.
	buf   []byte
	chunk [8 << 10]byte
	files []int
}

// filesPerStart is how many descriptors travel with a start: the standard ones.
const filesPerStart = 3

// newConn takes over file.
func newConn(file *os.File) (*conn, error) {
	defer file.Close()
	c, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("cannot use the shepherd's socket: %w", err)
	}
	socket, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("cannot use the shepherd's socket: it is a %T", c)
	}
	return &conn{socket: socket}, nil
}

// socketPair returns two connected sockets that no child inherits by itself.
func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make the shepherd's socket: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "probity"), os.NewFile(uintptr(fds[1]), "shepherd"), nil
}

// send writes one message. Descriptors travel with its first bytes, so that they have arrived when
// the message is complete.
func (c *conn) send(m message, files ...int) error {
	frame := m.encode()
	c.sending.Lock()
	defer c.sending.Unlock()
	if len(files) > 0 {
		n, _, err := c.socket.WriteMsgUnix(frame, unix.UnixRights(files...), nil)
		if err != nil {
			return err
		}
		frame = frame[n:]
	}
	_, err := c.socket.Write(frame)
	return err
}

// receive returns the next message. At the end of the other side the error is io.EOF.
func (c *conn) receive() (message, error) {
	for {
		body, rest, err := cutFrame(c.buf)
		if err != nil {
			return message{}, err
		}
		if body != nil {
			m, err := decodeMessage(body)
			c.buf = append(c.buf[:0], rest...)
			if cap(c.buf) > 1<<16 && len(c.buf) == 0 {
				c.buf = nil
			}
			return m, err
		}
		if err := c.read(); err != nil {
			return message{}, err
		}
	}
}

func (c *conn) read() error {
	// The kernel delivers the descriptors of one send per read.
	rights := make([]byte, unix.CmsgSpace(filesPerStart*4))
	n, oob, flags, _, err := c.socket.ReadMsgUnix(c.chunk[:], rights)
	if err != nil {
		return err
	}
	c.buf = append(c.buf, c.chunk[:n]...)
	if oob == 0 && flags&unix.MSG_CTRUNC == 0 {
		return nil
	}
	files, err := parseRights(rights[:oob])
	for len(files) < filesPerStart {
		files = append(files, -1)
	}
	c.files = append(c.files, files...)
	return err
}

func parseRights(rights []byte) ([]int, error) {
	controls, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, fmt.Errorf("cannot receive descriptors: %w", err)
	}
	var files []int
	for _, control := range controls {
		some, err := unix.ParseUnixRights(&control)
		if err != nil {
			return files, fmt.Errorf("cannot receive descriptors: %w", err)
		}
		files = append(files, some...)
	}
	return files, nil
}

// takeFiles hands out the descriptors of the next start; the caller closes them. Those that this
// process had no room for are -1.
func (c *conn) takeFiles() ([]int, error) {
	if len(c.files) < filesPerStart {
		return nil, fmt.Errorf("%w: it lacks its descriptors", errBadFrame)
	}
	files := c.files[:filesPerStart:filesPerStart]
	c.files = c.files[filesPerStart:]
	return files, nil
}

func (c *conn) close() error { return c.socket.Close() }
