package healthcall

import (
	"encoding/binary"
	"io"
)

// number reads the 32 bits at an offset of the payload.
func (f frame) number(offset int) uint32 { return binary.BigEndian.Uint32(f.payload[offset:]) }

// failed returns the finding that a connection breaks a rule of HTTP/2.
func failed(e http2Error) finding {
	return finding{state: broken, reason: "connection error: " + e.String()}
}

// cutShort returns the finding that a frame is shorter than its fields.
func cutShort() finding {
	return finding{state: broken, reason: io.ErrUnexpectedEOF.Error()}
}

// check decides whether a frame is well-formed. What data and headers have in them is checked where
// it is read.
func (f frame) check() finding {
	size, number := true, true // are right
	switch f.kind {
	case frameSettings:
		return f.checkSettings()
	case framePush:
		return f.checkPush()
	case frameHeaders:
		number = f.stream != 0
	case framePing:
		size, number = f.length == 8, f.stream == 0
	case frameReset:
		size, number = f.length == 4, f.stream != 0
	case frameGoAway:
		size, number = f.length >= 8, f.stream == 0
	case framePriority:
		size, number = f.length == 5, f.stream != 0
	case framePriorityUpdate:
		size = f.length >= 4
		number = f.stream == 0 && (!size || f.number(0)&maxWindow != 0)
	case frameWindow:
		size = f.length == 4
		number = f.stream != 0 || !size || f.number(0)&maxWindow != 0
	}
	numberFirst := f.kind == frameGoAway || f.kind == framePriority || f.kind == framePriorityUpdate
	switch {
	case !number && (size || numberFirst):
		return failed(protocolError)
	case !size:
		return failed(frameSizeError)
	}
	return finding{}
}

// checkSettings decides whether SETTINGS are well-formed.
func (f frame) checkSettings() finding {
	switch {
	case f.has(flagAck) && f.length > 0:
		return failed(frameSizeError)
	case f.stream != 0:
		return failed(protocolError)
	case f.length%6 != 0:
		return failed(frameSizeError)
	}
	for rest := f.payload; len(rest) > 0; rest = rest[6:] {
		if binary.BigEndian.Uint16(rest) == settingInitialWindow {
			if binary.BigEndian.Uint32(rest[2:]) > maxWindow {
				return failed(flowControlError)
			}
			break // the first one counts
		}
	}
	return finding{}
}

// checkPush decides whether PUSH_PROMISE is well-formed. What it promises is of no interest.
func (f frame) checkPush() finding {
	padding, rest := 0, f.payload
	if f.stream == 0 {
		return failed(protocolError)
	}
	if f.has(flagPadded) {
		if len(rest) == 0 {
			return cutShort()
		}
		padding, rest = int(rest[0]), rest[1:]
	}
	const promised = 4
	switch {
	case len(rest) < promised:
		return cutShort()
	case padding > len(rest)-promised:
		return failed(protocolError)
	}
	return finding{}
}
