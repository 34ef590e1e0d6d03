package healthcall

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"syscall"
)

// state is how far a call has got on its connection.
type state int

const (
	open        state = iota // more has to come
	over                     // the call has ended
	unprocessed              // the server has not processed the call, which may be repeated
	broken                   // the connection cannot be used any more
)

// finding is what the bytes of a connection amount to.
type finding struct {
	state  state
	status status // if over or unprocessed
	reset  bool   // if over: by RST_STREAM
	reason string // if broken
}

// endedBy returns the finding that the call has ended with a status.
func endedBy(code code, message string) finding {
	return finding{state: over, status: status{code, message}}
}

// connection reads what a server sends over one connection.
type connection struct {
	rest      []byte // a frame that is not complete
	connected bool   // the server has sent its settings: it speaks HTTP/2
	block     headerBlock
	response  response
	consumed  int // bytes of DATA since the last WINDOW_UPDATE

	goingAway  bool   // the server has sent GOAWAY: it will close the connection
	goAwayText string // its reason
	lastStream uint32 // the last stream that it will answer
}

// windowUpdateAfter is after how many bytes of DATA the server is allowed as many again: a quarter
// of what it may send at first.
const windowUpdateAfter = initialWindow / 4

// receive takes in the next bytes, and returns what they are to be answered with.
func (c *connection) receive(data []byte) (send []byte, found finding) {
	if len(c.rest) > 0 {
		c.rest = append(c.rest, data...)
		data = c.rest
	}
	for {
		f, ok := cutHeader(data)
		if !ok {
			break
		}
		if found = c.admit(f); found.state != open {
			return nil, found
		}
		end := frameHeaderSize + f.length
		if len(data) < end {
			break
		}
		f.payload, data = data[frameHeaderSize:end], data[end:]
		if send, found = c.frame(send, f); found.state != open {
			return send, found
		}
	}
	c.rest = append(c.rest[:0], data...)
	return send, finding{}
}

// admit decides whether a frame may come now, by its header.
func (c *connection) admit(f frame) finding {
	continues := f.kind == frameContinuation
	switch {
	case f.length > maxFrame:
		return finding{state: broken, reason: "http2: frame too large"}
	case continues != (c.block.stream != 0), continues && f.stream != c.block.stream:
		return failed(protocolError)
	case f.kind == frameData && f.stream == 0:
		return failed(protocolError)
	}
	return finding{}
}

// frame takes in a frame, and appends what it is to be answered with.
func (c *connection) frame(send []byte, f frame) ([]byte, finding) {
	if found := f.check(); found.state == broken {
		return send, found
	}
	if !c.connected && f.kind != frameSettings {
		return send, finding{state: broken, reason: "initial http2 frame from server is not a settings frame"}
	}
	switch f.kind {
	case frameSettings, framePing:
		c.connected = true
		if !f.has(flagAck) {
			payload := f.payload
			if f.kind == frameSettings {
				payload = nil
			}
			send = appendFrame(send, f.kind, flagAck, 0, payload)
		}
	case frameGoAway:
		return send, c.goAway(f)
	case frameHeaders, frameContinuation:
		return send, c.header(f)
	case frameData:
		return c.data(send, f)
	case frameReset:
		return send, reset(f)
	case frameWindow:
		if f.stream == stream && f.number(0)&maxWindow == 0 {
			return send, endedBy(codeInternal, "received invalid frame")
		}
	}
	// Priorities do not matter, pushed streams are of no interest, and unknown frames are to be
	// ignored.
	return send, finding{}
}

// goAway takes in that the server will close the connection. It still answers the streams up to a
// number. It may send that again with a lower number.
func (c *connection) goAway(f frame) finding {
	last := f.number(0) & maxWindow
	if last != 0 && last%2 == 0 || c.goingAway && last > c.lastStream {
		return finding{} // makes no sense
	}
	if !c.goingAway {
		c.goAwayText = "code: " + http2Error(f.number(4)).String()
		if debug := f.payload[8:]; len(debug) > 0 {
			c.goAwayText += fmt.Sprintf(", debug data: %q", debug)
		}
	}
	c.goingAway, c.lastStream = true, last
	if last < stream {
		return finding{state: unprocessed, status: status{codeUnavailable, "the connection is draining"}}
	}
	return finding{}
}

// data takes in a part of the response's body.
func (c *connection) data(send []byte, f frame) ([]byte, finding) {
	payload := f.payload
	if f.has(flagPadded) {
		if len(payload) == 0 {
			return send, cutShort()
		}
		var ok bool
		if payload, ok = f.unpadded(); !ok {
			return send, failed(protocolError)
		}
	}
	if f.stream != stream {
		return send, finding{}
	}
	if c.consumed += f.length; c.consumed >= windowUpdateAfter {
		increment := binary.BigEndian.AppendUint32(nil, uint32(c.consumed))
		send = appendFrame(send, frameWindow, 0, 0, increment)
		send = appendFrame(send, frameWindow, 0, stream, increment)
		c.consumed = 0
	}
	return send, c.response.data(payload, f.has(flagEndStream))
}

// reset takes in that the server ends the stream.
func reset(f frame) finding {
	if f.stream != stream {
		return finding{}
	}
	e := http2Error(f.number(0))
	found := endedBy(e.code(), "stream terminated by RST_STREAM with error code: "+e.String())
	found.reset = true
	if e == refusedStream {
		found.state = unprocessed
	}
	return found
}

// lost returns the status of a call whose connection broke.
func (c *connection) lost(reason string) status {
	reason = "error reading from server: " + reason
	if c.goingAway {
		reason = fmt.Sprintf("closing transport due to: connection error: desc = %q, received prior goaway: %s", reason, c.goAwayText)
	}
	return status{codeUnavailable, reason}
}

// endText returns the reason that is given for the end of a connection.
func (c *connection) endText(end error) string {
	if !errors.Is(end, io.EOF) {
		if errno, ok := errors.AsType[syscall.Errno](end); ok {
			return errno.Error() // without the addresses
		}
		return end.Error()
	}
	if len(c.rest) > 0 {
		return io.ErrUnexpectedEOF.Error()
	}
	return io.EOF.Error()
}
