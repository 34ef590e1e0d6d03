package healthcall

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"
)

const (
	contentType  = "application/grpc"
	binarySuffix = "-bin" // of headers whose values are base64

	messageLimit = 4 << 20 // bytes
	pageLimit    = 1 << 10 // bytes of a page that are quoted
)

// response is the server's answer, as far as it has come.
type response struct {
	begun    bool    // the headers of an answer in gRPC have come
	page     *status // instead, the headers of another answer have come: the status that they mean
	text     []byte  // the beginning of that answer's body
	encoding string  // of compressed messages
	body     []byte  // what has come of the messages and is not read
	answered bool    // there was a message
	serving  int32   // its ServingStatus
}

// header takes in a complete header block: headers, trailers, or both in one.
func (r *response) header(b *headerBlock) finding {
	if b.invalid == nil {
		b.invalid = b.checkPseudo()
	}
	switch {
	case b.invalid != nil:
		return endedBy(codeInternal, b.invalid.Error())
	case r.begun && !b.ends:
		return endedBy(codeInternal, "a HEADERS frame cannot appear in the middle of a stream")
	case b.size > headerLimit:
		return endedBy(codeInternal, "peer header list size exceeded limit")
	case r.page != nil && b.ends:
		return r.pageEnded()
	case r.page != nil:
		return finding{}
	}
	head, found := readHead(b.fields)
	switch {
	case found.state != open:
		return found
	case !r.begun && !head.isGRPC:
		return r.notGRPC(head, b.ends)
	case head.malformed != "":
		return endedBy(codeInternal, head.malformed)
	case b.ends:
		return r.ended(head.status)
	}
	r.begun, r.encoding = true, head.encoding
	return r.readMessages()
}

// head is what matters of a header block.
type head struct {
	http        string // the status of HTTP
	isGRPC      bool
	contentType string // what is wrong with it
	encoding    string
	malformed   string // what is wrong with another field
	status      status
}

// readHead reads fields. The finding is that they end the call.
func readHead(fields []hpack.HeaderField) (head, finding) {
	h := head{contentType: "malformed header: missing HTTP content-type", status: status{code: codeUnknown}}
	for _, field := range fields {
		switch field.Name {
		case "content-type":
			if rest, ok := strings.CutPrefix(field.Value, contentType); ok && (rest == "" || rest[0] == '+' || rest[0] == ';') {
				h.isGRPC, h.contentType = true, ""
			} else {
				h.contentType = fmt.Sprintf("transport: received unexpected content-type %q", field.Value)
			}
		case "grpc-encoding":
			h.encoding = field.Value
		case "grpc-status":
			number, err := strconv.ParseInt(field.Value, 10, 32)
			if err != nil {
				return h, endedBy(codeUnknown, fmt.Sprintf("transport: malformed grpc-status: %v", err))
			}
			h.status.code = code(uint32(number))
		case "grpc-message":
			h.status.message = unescape(field.Value)
		case ":status":
			h.http = field.Value
		default:
			if err := checkBinary(field); err != nil {
				h.malformed = fmt.Sprintf("transport: malformed %s: %v", field.Name, err)
			}
		}
	}
	return h, finding{}
}

// checkBinary returns what is wrong with a field whose value should be base64.
func checkBinary(field hpack.HeaderField) error {
	if !strings.HasSuffix(field.Name, binarySuffix) || strings.HasPrefix(field.Name, ":") {
		return nil
	}
	encoding := base64.RawStdEncoding
	if len(field.Value)%4 == 0 {
		encoding = base64.StdEncoding
	}
	_, err := encoding.DecodeString(field.Value)
	return err
}

// unescape decodes the percent-encoding of a status' message. What is not encoded well stays as it
// is.
func unescape(message string) string {
	var text strings.Builder
	for i := 0; i < len(message); i++ {
		if message[i] == '%' && i+2 < len(message) {
			if b, err := strconv.ParseUint(message[i+1:i+3], 16, 8); err == nil {
				text.WriteByte(byte(b))
				i += 2
				continue
			}
		}
		text.WriteByte(message[i])
	}
	return text.String()
}

// notGRPC decides by the headers of an answer that is not gRPC's.
func (r *response) notGRPC(h head, ends bool) finding {
	problem, code := "malformed header: missing HTTP status", codeInternal
	if h.http != "" {
		number, err := strconv.Atoi(h.http)
		switch {
		case err != nil:
			return endedBy(codeInternal, fmt.Sprintf("transport: malformed http-status: %v", err))
		case number >= 100 && number < 200 && ends:
			return endedBy(codeInternal, fmt.Sprintf("protocol error: informational header with status code %d must not have END_STREAM set", number))
		case number >= 100 && number < 200:
			return finding{}
		}
		problem = fmt.Sprintf("unexpected HTTP status code received from server: %d (%s)", number, http.StatusText(number))
		code = httpCode(number)
	}
	if h.contentType != "" {
		problem += "; " + h.contentType
	}
	if ends {
		return endedBy(code, problem)
	}
	r.page = &status{code, problem}
	return finding{}
}

// pageEnded quotes the beginning of an answer that is not gRPC's.
func (r *response) pageEnded() finding {
	return endedBy(r.page.code, fmt.Sprintf("%s\ndata: %q", r.page.message, r.text))
}

// data takes in a part of the body.
func (r *response) data(payload []byte, ends bool) finding {
	if r.page != nil {
		r.text = append(r.text, payload[:min(len(payload), pageLimit-len(r.text))]...)
		if ends || len(r.text) == pageLimit {
			return r.pageEnded()
		}
		return finding{}
	}
	r.body = append(r.body, payload...)
	if ends {
		return r.ended(status{codeInternal, "server closed the stream without sending trailers"})
	}
	if !r.begun {
		return finding{}
	}
	return r.readMessages()
}

// ended decides when the server has ended the stream with a status.
func (r *response) ended(s status) finding {
	if found := r.readMessages(); found.state != open {
		return found
	}
	switch {
	case len(r.body) > 0:
		return endedBy(codeInternal, io.ErrUnexpectedEOF.Error())
	case s.code == codeOK && !r.answered:
		return endedBy(codeInternal, "cardinality violation: received no response message from non-server-streaming RPC")
	}
	return finding{state: over, status: s}
}

// readMessages reads the messages that are complete. There has to be one.
func (r *response) readMessages() finding {
	for len(r.body) >= messagePrefix {
		length := binary.BigEndian.Uint32(r.body[1:])
		if length > messageLimit {
			return endedBy(codeResourceExhausted, fmt.Sprintf("grpc: received message larger than max (%d vs. %d)", length, messageLimit))
		}
		end := messagePrefix + int(length)
		if len(r.body) < end {
			break
		}
		if problem := r.compression(r.body[0]); problem != "" {
			return endedBy(codeInternal, problem)
		}
		serving, ok := readServing(r.body[messagePrefix:end])
		switch {
		case !ok:
			return endedBy(codeInternal, "grpc: failed to unmarshal the received message: proto: cannot parse invalid wire-format data")
		case r.answered:
			return endedBy(codeInternal, "cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message")
		}
		r.answered, r.serving, r.body = true, serving, r.body[end:]
	}
	return finding{}
}

// compression returns what is wrong with a message's first byte: compressed messages cannot be
// read.
func (r *response) compression(format byte) string {
	switch {
	case format > 1:
		return fmt.Sprintf("grpc: received unexpected payload format %d", format)
	case format == 1 && (r.encoding == "" || r.encoding == "identity"):
		return "grpc: compressed flag set with identity or empty encoding"
	case format == 1:
		return fmt.Sprintf("grpc: Decompressor is not installed for grpc-encoding %q", r.encoding)
	}
	return ""
}
