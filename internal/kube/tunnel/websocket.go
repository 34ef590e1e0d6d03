package tunnel

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Kinds of frames (RFC 6455, section 5.2).
const (
	frameContinuation = 0
	frameBinary       = 2
	frameClose        = 8
	framePing         = 9
	framePong         = 10
)

const (
	finalBit    = 0x80 // of the first byte: the message ends with this frame
	maskBit     = 0x80 // of the second one: the payload is masked
	lengthOf16  = 126  // two more bytes say how long it is
	lengthOf64  = 127  // eight do
	maxMessage  = 16 << 20
	closeNormal = 1000
)

var errWebSocket = errors.New("the server violates the WebSocket protocol")

// webSocket is the client's side of a WebSocket. One goroutine reads, any number write.
type webSocket struct {
	conn io.ReadWriteCloser
	in   *bufio.Reader

	writing sync.Mutex
	frame   []byte // guarded by writing; the last one, for its memory
}

// offer is the header by which a client asks for a WebSocket that speaks a protocol, and what the
// server has to prove.
func offer(protocol string) (header http.Header, proof string) {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // it never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return http.Header{
		"Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {key}, "Sec-Websocket-Protocol": {protocol},
	}, base64.StdEncoding.EncodeToString(sum[:])
}

// newWebSocket checks what the server has answered to an offer.
func newWebSocket(conn io.ReadWriteCloser, answer http.Header, protocol, proof string) (*webSocket, error) {
	if answer.Get("Sec-Websocket-Accept") != proof {
		return nil, errWebSocket
	}
	if got := answer.Get("Sec-Websocket-Protocol"); got != protocol {
		return nil, fmt.Errorf("the server speaks %q, and not %s", got, protocol)
	}
	return &webSocket{conn: conn, in: bufio.NewReader(conn)}, nil
}

// next reads a message and answers what comes between its frames. The error is io.EOF if the server
// closes the connection.
func (s *webSocket) next() (payload []byte, err error) {
	for began := false; ; {
		kind, final, frame, err := s.readFrame(maxMessage - len(payload))
		if err != nil {
			return nil, err
		}
		switch kind {
		case framePing:
			if err := s.write(framePong, frame); err != nil {
				return nil, err
			}
			continue
		case framePong:
			continue
		case frameClose:
			return nil, io.EOF
		}
		if began != (kind == frameContinuation) {
			return nil, errWebSocket
		}
		began = true
		if payload = append(payload, frame...); final {
			return payload, nil
		}
	}
}

// readFrame reads one frame, of at most so many bytes.
func (s *webSocket) readFrame(most int) (kind byte, final bool, payload []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(s.in, head[:2]); err != nil {
		return 0, false, nil, err
	}
	kind, final = head[0]&0x0f, head[0]&finalBit != 0
	length := uint64(head[1])
	switch {
	case head[1]&maskBit != 0:
		return 0, false, nil, errWebSocket // only a client masks
	case length == lengthOf16:
		_, err = io.ReadFull(s.in, head[:2])
		length = uint64(binary.BigEndian.Uint16(head[:]))
	case length == lengthOf64:
		_, err = io.ReadFull(s.in, head[:])
		length = binary.BigEndian.Uint64(head[:])
	}
	if err == nil && length > uint64(max(most, 0)) {
		err = errWebSocket
	}
	if err != nil {
		return 0, false, nil, err
	}
	var read bytes.Buffer // it grows with what comes, and not with what is announced
	_, err = io.CopyN(&read, s.in, int64(length))
	return kind, final, read.Bytes(), err
}

// write sends a frame whose payload is some pieces.
func (s *webSocket) write(kind byte, payload ...[]byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	length := 0
	for _, piece := range payload {
		length += len(piece)
	}
	s.frame = append(s.frame[:0], kind|finalBit)
	switch {
	case length < lengthOf16:
		s.frame = append(s.frame, maskBit|byte(length))
	case length <= 1<<16-1:
		s.frame = binary.BigEndian.AppendUint16(append(s.frame, maskBit|lengthOf16), uint16(length))
	default:
		s.frame = binary.BigEndian.AppendUint64(append(s.frame, maskBit|lengthOf64), uint64(length))
	}
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // it never fails
	s.frame = append(s.frame, mask[:]...)
	begin := len(s.frame)
	for _, piece := range payload {
		s.frame = append(s.frame, piece...)
	}
	for i := range s.frame[begin:] {
		s.frame[begin+i] ^= mask[i&3]
	}
	_, err := s.conn.Write(s.frame)
	return err
}

// close tells the server that nothing follows, and gives the connection up.
func (s *webSocket) close() {
	_ = s.write(frameClose, binary.BigEndian.AppendUint16(nil, closeNormal)) // it may be gone
	_ = s.conn.Close()
}
