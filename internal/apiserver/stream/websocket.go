package stream

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"sync"
)

// Kinds of frames (RFC 6455, section 5.2).
const (
	frameContinuation = 0
	frameText         = 1
	frameBinary       = 2
	frameClose        = 8
	framePing         = 9
	framePong         = 10
)

const (
	finalBit     = 0x80 // of the first byte: the message ends with this frame
	reservedBits = 0x70
	maskBit      = 0x80 // of the second one: what a client sends is masked

	maxControl  = 125 // bytes of a frame that is no message
	lengthOf16  = 126 // two more bytes say how long it is
	lengthOf64  = 127 // eight do
	closeNormal = 1000
)

var (
	errWebSocket = errors.New("the client violates the WebSocket protocol")
	errMethod    = &ProtocolError{"a WebSocket needs the method GET"}
)

// webSocket is the server's side of a WebSocket. One goroutine reads, any number write.
type webSocket struct {
	conn io.Writer
	in   *bufio.Reader

	// Of the reader alone: the frame that is being read.
	left  uint64 // bytes of it
	final bool
	mask  [4]byte
	at    int // place in mask

	writing sync.Mutex
	frame   []byte // guarded by writing; the last one, for its memory
	closed  bool   // guarded by writing; nothing may follow
}

// upgradeWebSocket upgrades a request to a WebSocket that speaks one of some protocols.
func upgradeWebSocket(w http.ResponseWriter, r *http.Request, spoken ...string) (upgradedConn, string, error) {
	if r.Method != http.MethodGet {
		return upgradedConn{}, "", errMethod
	}
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-Websocket-Key"))
	if err != nil || len(key) != 16 || r.Header.Get("Sec-Websocket-Version") != "13" {
		return upgradedConn{}, "", &ProtocolError{"this is no handshake of WebSocket version 13"}
	}
	protocol, err := choose(tokens(r.Header, "Sec-Websocket-Protocol"), spoken)
	if err != nil {
		return upgradedConn{}, "", err
	}
	proof := sha1.Sum([]byte(r.Header.Get("Sec-Websocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	conn, err := upgrade(w, http.Header{
		"Upgrade":                {"websocket"},
		"Sec-WebSocket-Accept":   {base64.StdEncoding.EncodeToString(proof[:])},
		"Sec-WebSocket-Protocol": {protocol},
	})
	return conn, protocol, err
}

func newWebSocket(conn upgradedConn) *webSocket {
	return &webSocket{conn: conn, in: conn.in, final: true}
}

// next goes to the beginning of the next message. The error is io.EOF if the client closes.
func (s *webSocket) next() error {
	if _, err := io.Copy(io.Discard, message{s}); err != nil {
		return err
	}
	kind, err := s.nextFrame()
	if err == nil && kind == frameContinuation {
		err = errWebSocket
	}
	return err
}

// message is what is left of the message that is being read. At its end the error is io.EOF.
type message struct{ socket *webSocket }

// Read implements [io.Reader].
func (m message) Read(p []byte) (int, error) {
	s := m.socket
	for s.left == 0 {
		if s.final {
			return 0, io.EOF
		}
		kind, err := s.nextFrame()
		if err == nil && kind != frameContinuation {
			err = errWebSocket
		}
		if err != nil {
			return 0, noEnd(err)
		}
	}
	n, err := s.in.Read(p[:min(uint64(len(p)), s.left)])
	s.unmask(p[:n])
	s.left -= uint64(n)
	return n, noEnd(err)
}

// noEnd turns an end where none may be into an error.
func noEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (s *webSocket) unmask(p []byte) {
	for i := range p {
		p[i] ^= s.mask[s.at&3]
		s.at++
	}
}

// nextFrame reads on to the payload of the next frame of a message, and answers those in between
// that are none.
func (s *webSocket) nextFrame() (kind byte, err error) {
	for {
		if kind, err = s.readHead(); err != nil {
			return 0, err
		}
		switch kind {
		case frameContinuation, frameText, frameBinary:
			return kind, nil
		}
		payload := make([]byte, s.left)
		if _, err := io.ReadFull(s.in, payload); err != nil {
			return 0, noEnd(err)
		}
		s.unmask(payload)
		s.left = 0
		switch kind {
		case framePing:
			if err := s.write(framePong, payload); err != nil {
				return 0, err
			}
		case frameClose:
			_ = s.write(frameClose, payload[:min(len(payload), 2)]) // the client need not wait for it
			return 0, io.EOF
		}
	}
}

// readHead reads the head of a frame.
func (s *webSocket) readHead() (kind byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(s.in, head[:2]); err != nil {
		return 0, err
	}
	kind = head[0] &^ finalBit
	final := head[0]&finalBit != 0
	length := uint64(head[1] &^ maskBit)
	switch {
	case head[0]&reservedBits != 0 || head[1]&maskBit == 0:
		return 0, errWebSocket
	case kind > framePong || kind > frameBinary && kind < frameClose:
		return 0, errWebSocket
	case kind >= frameClose && (!final || length > maxControl):
		return 0, errWebSocket
	case length == lengthOf16:
		_, err = io.ReadFull(s.in, head[:2])
		length = uint64(binary.BigEndian.Uint16(head[:]))
	case length == lengthOf64:
		_, err = io.ReadFull(s.in, head[:])
		length = binary.BigEndian.Uint64(head[:])
	}
	if err == nil {
		_, err = io.ReadFull(s.in, s.mask[:])
	}
	if err != nil {
		return 0, noEnd(err)
	}
	s.left, s.at = length, 0
	if kind < frameClose { // others may come between the frames of a message
		s.final = final
	}
	return kind, nil
}

// write sends a frame whose payload is some pieces.
func (s *webSocket) write(kind byte, payload ...[]byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closed {
		return io.ErrClosedPipe
	}
	s.closed = kind == frameClose
	length := 0
	for _, piece := range payload {
		length += len(piece)
	}
	s.frame = append(s.frame[:0], kind|finalBit)
	switch {
	case length <= maxControl:
		s.frame = append(s.frame, byte(length))
	case length <= 1<<16-1:
		s.frame = binary.BigEndian.AppendUint16(append(s.frame, lengthOf16), uint16(length))
	default:
		s.frame = binary.BigEndian.AppendUint64(append(s.frame, lengthOf64), uint64(length))
	}
	for _, piece := range payload {
		s.frame = append(s.frame, piece...)
	}
	_, err := s.conn.Write(s.frame)
	return err
}

// beat tells the client that this side is there.
func (s *webSocket) beat() error { return s.write(framePong) }

// close tells the client that nothing follows.
func (s *webSocket) close() error {
	return s.write(frameClose, binary.BigEndian.AppendUint16(nil, closeNormal))
}

// tunnel are the messages of a WebSocket as one stream of bytes.
type tunnel struct{ *webSocket }

// Read implements [io.Reader].
func (t tunnel) Read(p []byte) (int, error) {
	for {
		n, err := message{t.webSocket}.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) || len(p) == 0 {
			return n, err
		}
		if err := t.next(); err != nil {
			return 0, err
		}
	}
}

// Write implements [io.Writer].
func (t tunnel) Write(p []byte) (int, error) {
	if err := t.write(frameBinary, p); err != nil {
		return 0, err
	}
	return len(p), nil
}
