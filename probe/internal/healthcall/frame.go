package healthcall

import "encoding/binary"

// The parts of HTTP/2 that a call needs (RFC 9113).
const (
	preface         = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHeaderSize = 9       // bytes
	maxFrame        = 1 << 14 // bytes of payload, if nobody announces more
	stream          = 1       // the number of the first and only stream

	frameData           = 0x0
	frameHeaders        = 0x1
	framePriority       = 0x2
	frameReset          = 0x3
	frameSettings       = 0x4
	framePush           = 0x5
	framePing           = 0x6
	frameGoAway         = 0x7
	frameWindow         = 0x8
	frameContinuation   = 0x9
	framePriorityUpdate = 0x10

	flagAck        = 0x1 // SETTINGS, PING
	flagEndStream  = 0x1 // DATA, HEADERS
	flagEndHeaders = 0x4 // HEADERS, CONTINUATION
	flagPadded     = 0x8 // DATA, HEADERS
	flagPriority   = 0x20

	settingInitialWindow = 0x4
	maxWindow            = 1<<31 - 1
)

// frame is a frame of HTTP/2, or its header alone.
type frame struct {
	length  int
	kind    byte
	flags   byte
	stream  uint32
	payload []byte
}

// cutHeader reads the header of the first frame.
func cutHeader(data []byte) (f frame, ok bool) {
	if len(data) < frameHeaderSize {
		return frame{}, false
	}
	return frame{
		length: int(data[0])<<16 | int(data[1])<<8 | int(data[2]),
		kind:   data[3],
		flags:  data[4],
		stream: binary.BigEndian.Uint32(data[5:]) &^ (1 << 31),
	}, true
}

// has reports whether the frame has a flag.
func (f frame) has(flag byte) bool { return f.flags&flag != 0 }

// unpadded returns the payload without padding; false means that there is less of it than
// promised. It is for frames whose flag says that they are padded.
func (f frame) unpadded() ([]byte, bool) {
	padding := int(f.payload[0])
	payload := f.payload[1:]
	if padding > len(payload) {
		return nil, false
	}
	return payload[:len(payload)-padding], true
}

// appendFrame appends a frame.
func appendFrame(to []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	to = append(to, byte(n>>16), byte(n>>8), byte(n), kind, flags)
	to = binary.BigEndian.AppendUint32(to, stream)
	return append(to, payload...)
}
