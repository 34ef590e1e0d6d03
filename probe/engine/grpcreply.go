package engine

import (
	"encoding/binary"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// grpcReply is what the bytes received for a gRPC call amount to.
type grpcReply struct {
	stage stage
	// the server has sent its settings; false and foreign means that it does not speak HTTP/2
	connected bool
	owed      []byte
	code      uint32 // the gRPC status, if decided
	message   string // of a status other than 0
	serving   int32  // the answer, if the status is 0
}

// readGRPC reads the frames of a server from the beginning. It knows what a health service and the
// usual servers send; the rest is foreign. owed is what has to be sent in return to all of the
// bytes, acknowledgements, so it only grows.
func readGRPC(data []byte) grpcReply {
	reader := grpcReader{reply: grpcReply{stage: inHead}}
	for rest := data; reader.reply.stage < decided; {
		frame, after, ok := cutFrame(rest)
		switch {
		case !ok && len(rest) >= replyLimit, ok && frame.length > maxFrame:
			reader.reply.stage = foreign
		case !ok:
			return reader.reply
		case !reader.reply.connected:
			reader.preface(frame)
		default:
			reader.frame(frame)
		}
		rest = after
	}
	return reader.reply
}

// frame is a frame of HTTP/2. If length is more than allowed the payload is missing.
type frame struct {
	length  int
	kind    byte
	flags   byte
	stream  uint32
	payload []byte
}

// cutFrame takes the first frame off; false means that it is not complete.
func cutFrame(data []byte) (f frame, after []byte, ok bool) {
	if len(data) < frameHeader {
		return frame{}, nil, false
	}
	f = frame{
		length: int(data[0])<<16 | int(data[1])<<8 | int(data[2]),
		kind:   data[3],
		flags:  data[4],
		stream: binary.BigEndian.Uint32(data[5:]) &^ (1 << 31),
	}
	if f.length > maxFrame {
		return f, nil, true
	}
	if len(data) < frameHeader+f.length {
		return frame{}, nil, false
	}
	end := frameHeader + f.length
	f.payload = data[frameHeader:end]
	return f, data[end:], true
}

// grpcReader collects the parts of an answer.
type grpcReader struct {
	reply   grpcReply
	decoder *hpack.Decoder
	headers bool   // the response's headers have come
	message []byte // what DATA frames carried
}

// preface expects the settings with which every HTTP/2 server begins.
func (r *grpcReader) preface(f frame) {
	if f.kind != frameSettings || f.flags&flagAck != 0 {
		r.reply.stage = foreign
		return
	}
	r.reply.connected = true
	r.frame(f)
	r.reply.connected = r.reply.stage != foreign
}

// frame takes a frame in.
func (r *grpcReader) frame(f frame) {
	fits := false
	switch f.kind {
	case frameSettings:
		fits = f.stream == 0 && f.length%6 == 0
		r.owe(f, nil)
	case framePing:
		fits = f.stream == 0 && f.length == 8
		r.owe(f, f.payload)
	case frameGoAway:
		fits = f.stream == 0 && f.length >= 8 && goesOn(f.payload)
	case frameHeaders:
		fits = f.stream == 1 && f.flags&(flagEndHeaders|flagPadded|flagPriority) == flagEndHeaders && r.header(f)
	case frameData:
		fits = f.stream == 1 && f.flags&(flagEndStream|flagPadded) == 0 && r.headers
		r.message = append(r.message, f.payload...)
	case framePriority, frameReset, framePush, frameContinuation:
	default: // window updates do not matter for so little data; unknown frames are to be ignored
		fits = true
	}
	if !fits {
		r.reply.stage = foreign
	}
}

// goesOn reports whether a GOAWAY ends without an error and only after the call, which is stream 1.
func goesOn(payload []byte) bool {
	last := binary.BigEndian.Uint32(payload) &^ (1 << 31)
	return last >= 1 && binary.BigEndian.Uint32(payload[4:]) == 0
}

// owe acknowledges a frame that is no acknowledgement itself.
func (r *grpcReader) owe(f frame, payload []byte) {
	if f.flags&flagAck == 0 {
		r.reply.owed = appendFrame(r.reply.owed, f.kind, flagAck, 0, payload)
	}
}

// header takes in the response's headers, its trailers, or both in one.
func (r *grpcReader) header(f frame) bool {
	if r.decoder == nil {
		r.decoder = hpack.NewDecoder(4096, nil)
	}
	fields, err := r.decoder.DecodeFull(f.payload)
	ends := f.flags&flagEndStream != 0
	if err != nil || (r.headers && !ends) {
		return false
	}
	if !r.headers && !usualHeader(fields) {
		return false
	}
	r.headers = true
	return !ends || r.end(fields)
}

// usualHeader reports whether the response is what gRPC demands.
func usualHeader(fields []hpack.HeaderField) bool {
	status, content := false, false
	for _, field := range fields {
		switch field.Name {
		case ":status":
			status = field.Value == "200"
		case "content-type":
			content = field.Value == "application/grpc" || strings.HasPrefix(field.Value, "application/grpc+")
		case "grpc-encoding":
			return false
		}
	}
	return status && content
}

// end decides by the trailers.
func (r *grpcReader) end(trailers []hpack.HeaderField) bool {
	code, message := int64(-1), ""
	for _, field := range trailers {
		var err error
		switch {
		case strings.HasSuffix(field.Name, "-bin"):
			return false
		case field.Name == "grpc-status":
			code, err = strconv.ParseInt(field.Value, 10, 32)
		case field.Name == "grpc-message":
			message, err = url.PathUnescape(field.Value)
		}
		if err != nil {
			return false
		}
	}
	if code < 0 {
		return false
	}
	r.reply.code, r.reply.message = uint32(code), message
	if code == 0 {
		serving, ok := readServing(r.message)
		if !ok {
			return false
		}
		r.reply.serving = serving
	}
	r.reply.stage = decided
	return true
}

// readServing reads a HealthCheckResponse of the usual form: nothing, or the status alone.
func readServing(message []byte) (int32, bool) {
	if len(message) < 5 || message[0] != 0 || int(binary.BigEndian.Uint32(message[1:])) != len(message)-5 {
		return 0, false
	}
	fields := message[5:]
	if len(fields) == 0 {
		return 0, true
	}
	if len(fields) != 2 || fields[0] != 1<<3 || fields[1] >= 0x80 {
		return 0, false
	}
	return int32(fields[1]), true
}
