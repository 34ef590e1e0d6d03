package stream

import (
	"errors"
	"io"
	"net/http"
)

// Channels of a WebSocket.
const (
	channelStdin  = 0
	channelStdout = 1
	channelStderr = 2
	channelStatus = 3
	channelSize   = 4
	channelClose  = 255 // ends the one whose number follows
)

// The protocols of sessions over WebSocket. In the first one, which kubectl speaks, a client can
// end its standard input.
const (
	protocolV5 = "v5.channel.k8s.io"
	protocolV4 = "v4.channel.k8s.io"
)

func openWebSocket(w http.ResponseWriter, r *http.Request, wants Wants) (*Session, error) {
	conn, protocol, err := upgradeWebSocket(w, r, protocolV5, protocolV4)
	if err != nil {
		return nil, err
	}
	socket := newWebSocket(conn)
	s := newSession(r.Context(), conn)
	s.beat = socket.beat
	s.report = func(status []byte) error {
		return errors.Join(socket.write(frameBinary, []byte{channelStatus}, status), socket.close())
	}
	in := receiver{socket: socket, canClose: protocol == protocolV5, channels: map[byte]*io.PipeWriter{}}
	if wants.Stdin {
		s.Stdin = s.input(in, channelStdin)
	}
	if wants.Stdout {
		s.Stdout = channel{socket, channelStdout}
	}
	if wants.Stderr {
		s.Stderr = channel{socket, channelStderr}
	}
	if wants.Terminal {
		s.readSizes(s.input(in, channelSize))
	}
	s.run(in.receive)
	return s, nil
}

// input makes a channel on which a client sends.
func (s *Session) input(in receiver, number byte) io.ReadCloser {
	r, w := io.Pipe()
	in.channels[number] = w
	s.inputs = append(s.inputs, r)
	return r
}

// channel is one on which the client receives.
type channel struct {
	socket *webSocket
	number byte
}

// Write implements [io.Writer].
func (c channel) Write(p []byte) (int, error) {
	if err := c.socket.write(frameBinary, []byte{c.number}, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// receiver passes on what a client sends.
type receiver struct {
	socket   *webSocket
	canClose bool
	channels map[byte]*io.PipeWriter
}

// receive passes on all messages until the client is gone.
func (in receiver) receive() error {
	err := in.receiveAll()
	for _, c := range in.channels {
		c.CloseWithError(noEnd(err))
	}
	return err
}

func (in receiver) receiveAll() error {
	chunk := make([]byte, 32<<10)
	for {
		if err := in.socket.next(); err != nil {
			return err
		}
		var number [1]byte
		switch _, err := io.ReadFull(message{in.socket}, number[:]); {
		case errors.Is(err, io.EOF):
			continue // the message is empty
		case err != nil:
			return err
		}
		if number[0] == channelClose && in.canClose {
			if _, err := io.ReadFull(message{in.socket}, number[:]); err != nil {
				return errWebSocket
			}
			if c := in.channels[number[0]]; c != nil {
				c.Close()
			}
			continue
		}
		c := in.channels[number[0]]
		if c == nil {
			continue // the client asked for no such channel
		}
		if _, err := io.CopyBuffer(c, message{in.socket}, chunk); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			return err
		}
	}
}
