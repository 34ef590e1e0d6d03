package tunnel

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
)

// buffer is a connection of which one reads what is in it.
type buffer struct {
	io.Reader
	sent bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) { return b.sent.Write(p) }
func (b *buffer) Close() error                { return nil }

func socketOf(frames ...[]byte) (*webSocket, *buffer) {
	b := &buffer{Reader: bytes.NewReader(bytes.Join(frames, nil))}
	return &webSocket{conn: b, in: bufio.NewReader(b)}, b
}

// TestMessages: pieces make a message, a ping between them is answered, and what violates the
// protocol is an error.
func TestMessages(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 300)
	s, b := socketOf([]byte{0x02, 2, 'a', 'b'}, []byte{0x89, 1, '!'}, []byte{0x8a, 0}, append([]byte{0x80, 126, 1, 44}, long...), []byte{0x88, 0})
	got, err := s.next()
	if want := append([]byte("ab"), long...); !bytes.Equal(got, want) || err != nil {
		t.Errorf("message of %d bytes, %v, want %d", len(got), err, len(want))
	}
	if sent := b.sent.Bytes(); len(sent) != 7 || sent[0] != 0x8a || sent[1] != 0x81 || sent[6]^sent[2] != '!' {
		t.Errorf("the ping was answered by % x", sent)
	}
	if _, err := s.next(); !errors.Is(err, io.EOF) {
		t.Errorf("error %v at the end", err)
	}
	for name, frames := range map[string][]byte{
		"a mask":                       {0x82, 0x81, 0, 0, 0, 0, 'a'},
		"the middle of a message":      {0x80, 1, 'a'},
		"a beginning within another":   {0x02, 1, 'a', 0x82, 1, 'b'},
		"more than a message may be":   {0x82, 127, 0, 0, 0, 0, 0xff, 0, 0, 0},
		"a length that is none at all": {0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		s, _ := socketOf(frames)
		if _, err := s.next(); !errors.Is(err, errWebSocket) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestHandshake: a server has to prove that it understood, and to speak the protocol.
func TestHandshake(t *testing.T) {
	_, b := socketOf()
	for name, answer := range map[string]http.Header{
		"no proof":         {"Sec-Websocket-Protocol": {protocolExec}},
		"another protocol": {"Sec-Websocket-Accept": {"proof"}, "Sec-Websocket-Protocol": {"v4.channel.k8s.io"}},
	} {
		if _, err := newWebSocket(b, answer, protocolExec, "proof"); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
	if _, err := newWebSocket(b, http.Header{"Sec-Websocket-Accept": {"proof"}, "Sec-Websocket-Protocol": {protocolExec}}, protocolExec, "proof"); err != nil {
		t.Error(err)
	}
}

// FuzzMessages: whatever a server sends, nothing panics and nothing takes more memory than a
// message may.
func FuzzMessages(f *testing.F) {
	f.Add([]byte{0x02, 2, 'a', 'b', 0x89, 1, '!', 0x80, 1, 'c'})
	f.Add([]byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1, 'a'})
	f.Fuzz(func(t *testing.T, frames []byte) {
		s, _ := socketOf(frames)
		for {
			message, err := s.next()
			if err != nil {
				return
			}
			if len(message) > maxMessage {
				t.Errorf("a message has %d bytes", len(message))
			}
		}
	})
}
