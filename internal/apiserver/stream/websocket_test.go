package stream

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// frame is one that a client sends, masked.
func frame(first byte, payload string) string {
	head := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		head = append(head, 0x80|byte(n))
	case n <= 1<<16-1:
		head = append(head, 0x80|126, byte(n>>8), byte(n))
	default:
		head = append(head, 0x80|127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	masked := []byte(payload)
	for i := range masked {
		masked[i] ^= mask[i&3]
	}
	return string(head) + string(mask[:]) + string(masked)
}

func socketOver(in string) (*webSocket, *bytes.Buffer) {
	out := &bytes.Buffer{}
	return &webSocket{conn: out, in: bufio.NewReaderSize(iotestOneByte{strings.NewReader(in)}, 16), final: true}, out
}

// iotestOneByte has a byte at a time, as a connection may.
type iotestOneByte struct{ r io.Reader }

func (o iotestOneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

// receiveAll are the messages, quoted, and then why there are no more.
func receiveAll(s *webSocket) (text string) {
	for {
		err := s.next()
		var payload []byte
		if err == nil {
			payload, err = io.ReadAll(message{s})
		}
		if err != nil {
			return text + err.Error()
		}
		if len(payload) > 20 {
			text += fmt.Sprintf("%d bytes ", len(payload))
			continue
		}
		text += fmt.Sprintf("%q ", payload)
	}
}

// TestWebSocketFrames: messages may come in pieces with control frames between them, and whoever
// violates the protocol is cut off.
func TestWebSocketFrames(t *testing.T) {
	violation := errWebSocket.Error()
	for name, test := range map[string]struct{ in, want, answer string }{
		"messages":                    {frame(0x82, "one") + frame(0x81, "two") + frame(0x82, ""), `"one" "two" "" EOF`, ""},
		"in pieces":                   {frame(0x02, "o") + frame(0x00, "n") + frame(0x80, "e"), `"one" EOF`, ""},
		"long":                        {frame(0x82, strings.Repeat("x", 126)) + frame(0x82, strings.Repeat("x", 1<<16)), "126 bytes 65536 bytes EOF", ""},
		"ping":                        {frame(0x89, "are you there"), "EOF", "\x8a\x0dare you there"},
		"ping between pieces":         {frame(0x02, "o") + frame(0x89, "") + frame(0x80, "ne"), `"one" EOF`, "\x8a\x00"},
		"pong":                        {frame(0x8a, "") + frame(0x82, "one"), `"one" EOF`, ""},
		"close":                       {frame(0x88, "\x03\xe8bye") + frame(0x82, "late"), "EOF", "\x88\x02\x03\xe8"},
		"cut in a head":               {frame(0x82, "one")[:1], "unexpected EOF", ""},
		"cut in a message":            {frame(0x82, "one")[:7], "unexpected EOF", ""},
		"cut between pieces":          {frame(0x02, "one"), "unexpected EOF", ""},
		"no mask":                     {"\x82\x03one", violation, ""},
		"reserved bits":               {frame(0xc2, "one"), violation, ""},
		"unknown frame":               {frame(0x83, "one"), violation, ""},
		"unknown control frame":       {frame(0x8b, "one"), violation, ""},
		"long control frame":          {frame(0x89, strings.Repeat("x", 126)), violation, ""},
		"control frame in pieces":     {frame(0x09, "one"), violation, ""},
		"continuation of nothing":     {frame(0x80, "one"), violation, ""},
		"message within a message":    {frame(0x02, "one") + frame(0x82, "two"), violation, ""},
		"length without its end":      {"\x82\xfe\x00", "unexpected EOF", ""},
		"longer than anything can be": {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00x", "unexpected EOF", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, out := socketOver(test.in)
			if got := receiveAll(s); got != test.want {
				t.Errorf("received %s, want %s", got, test.want)
			}
			if got := out.String(); got != test.answer {
				t.Errorf("answered %q, want %q", got, test.answer)
			}
		})
	}
}

// TestWebSocketWrite: each length has its form, and after the end nothing follows.
func TestWebSocketWrite(t *testing.T) {
	for n, want := range map[int]string{0: "\x82\x00", 125: "\x82\x7d", 126: "\x82\x7e\x00\x7e", 1<<16 - 1: "\x82\x7e\xff\xff", 1 << 16: "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"} {
		s, out := socketOver("")
		payload := bytes.Repeat([]byte("x"), n)
		if err := s.write(frameBinary, payload[:n/2], payload[n/2:]); err != nil || out.String() != want+string(payload) {
			t.Errorf("%d bytes: %v, %.20q…", n, err, out)
		}
	}
	s, out := socketOver("")
	if err := s.close(); err != nil || out.String() != "\x88\x02\x03\xe8" {
		t.Errorf("close = %v, %q", err, out)
	}
	if err := s.beat(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a heartbeat after the end = %v", err)
	}
}

// TestTunnel: the messages are one stream of bytes.
func TestTunnel(t *testing.T) {
	s, out := socketOver(frame(0x02, "o") + frame(0x80, "ne") + frame(0x82, "") + frame(0x82, " two") + frame(0x88, ""))
	text, err := io.ReadAll(tunnel{s})
	if err != nil || string(text) != "one two" {
		t.Errorf("read %q, %v", text, err)
	}
	out.Reset()
	s.closed = false // it was closed by the client
	if n, err := (tunnel{s}).Write([]byte("one")); n != 3 || err != nil || out.String() != "\x82\x03one" {
		t.Errorf("Write = %d, %v, %q", n, err, out)
	}
}

// FuzzWebSocket: nothing that a client sends makes more of it than there was.
func FuzzWebSocket(f *testing.F) {
	f.Add([]byte(frame(0x02, "o") + frame(0x89, "ping") + frame(0x80, "ne") + frame(0x88, "")))
	f.Add([]byte("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00x"))
	f.Fuzz(func(t *testing.T, in []byte) {
		s, out := socketOver(string(in))
		total := 0
		for s.next() == nil {
			n, err := io.Copy(io.Discard, message{s})
			total += int(n)
			if err != nil {
				break
			}
		}
		if total+out.Len() > len(in) {
			t.Errorf("of %d bytes %d were received and %d answered", len(in), total, out.Len())
		}
	})
}
