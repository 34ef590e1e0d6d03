package proxy

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// framing follows the HTTP/1 requests that a client sends to a port that speaks HTTP/2, to where
// each of them ends, and finds the first one whose end can be read in two ways. The server of
// net/http accepts some of those: it drops a Content-Length beside a Transfer-Encoding, and joins
// folded lines (RFC 9112, 5.2, 6.1 and 6.3). What was read in another way before it came here, by
// an ingress say, could hide a second request in the body of the first.
//
// It refuses all that net/http would read differently from framing itself, so the two never
// disagree about where a request begins. What it lets through, net/http may still refuse.
type framing struct {
	state framingState
	line  []byte // the beginning of a line whose end has not come yet
	begun bool   // a request came before
	left  uint64 // bytes until the end of the body, or of the chunk; or of the preface of HTTP/2

	// of the head that is being read
	http10  bool
	lengths int
	length  uint64
	chunked bool
}

// maxKeptLine is how much memory a connection keeps for the next line that comes in pieces.
const maxKeptLine = 4 << 10

// framingState is what the next byte belongs to.
type framingState int

const (
	inRequestLine framingState = iota
	inFields
	inBody
	inChunkLine
	inChunk
	inChunkEnd
	inTrailers
	// inPreface: the first line was that of HTTP/2 with prior knowledge.
	inPreface
	// inHTTP2: no more HTTP/1 will come.
	inHTTP2
)

// Why a request is refused, in the words of the answer.
var (
	errTwoFramings  = errors.New("the request has both Content-Length and Transfer-Encoding")
	errTwoLengths   = errors.New("the request has more than one Content-Length")
	errBadLength    = errors.New("the Content-Length is not a number")
	errWrongLength  = errors.New("the Content-Length is not the length of the body")
	errTwoCodings   = errors.New("the request has more than one Transfer-Encoding")
	errHTTP10Coding = errors.New("HTTP/1.0 has no Transfer-Encoding")
	errFolded       = errors.New("a header field is folded over two lines")
	errBadField     = errors.New("a header field is malformed")
	errBadChunk     = errors.New("a chunk of the body is malformed")
	errBadTrailer   = errors.New("a trailer field is malformed, or is one that no trailer may be")
	errBadPreface   = errors.New("the preface of HTTP/2 is malformed")
)

// The preface of HTTP/2 (RFC 9113, 3.4): its first line, which looks like a request's, and what
// follows that.
const (
	http2PrefaceLine = "PRI * HTTP/2.0"
	http2PrefaceRest = "\r\nSM\r\n\r\n"
)

// scan takes the next bytes of the connection. If it refuses a request, n of the bytes come before
// the line, or the part of a body, that it is refused for; nothing may follow them.
func (f *framing) scan(p []byte) (n int, err error) {
	for n < len(p) {
		switch f.state {
		case inHTTP2:
			return len(p), nil
		case inBody, inChunk:
			n += f.skip(len(p) - n)
		case inPreface:
			if p[n] != http2PrefaceRest[len(http2PrefaceRest)-int(f.left)] {
				return n, errBadPreface
			}
			n += f.skip(1)
		default:
			end := bytes.IndexByte(p[n:], '\n')
			if end < 0 {
				f.line = append(f.line, p[n:]...)
				return len(p), nil
			}
			line := p[n : n+end]
			if len(f.line) > 0 {
				f.line = append(f.line, line...)
				line, f.line = f.line, f.line[:0]
			}
			if err := f.takeLine(line); err != nil {
				return n, err
			}
			if n += end + 1; cap(f.line) > maxKeptLine {
				f.line = nil
			}
		}
	}
	return n, nil
}

// skip goes over at most n bytes of a body, a chunk or a preface, and returns how many.
func (f *framing) skip(n int) int {
	n = int(min(f.left, uint64(n)))
	if f.left -= uint64(n); f.left == 0 {
		switch f.state {
		case inBody:
			f.state = inRequestLine
		case inChunk:
			f.state = inChunkEnd
		case inPreface:
			f.state = inHTTP2
		}
	}
	return n
}

// takeLine takes a line without its LF.
func (f *framing) takeLine(line []byte) error {
	text, crlf := bytes.CutSuffix(line, []byte{'\r'})
	switch f.state {
	case inRequestLine:
		f.takeRequestLine(text, crlf)
	case inFields: // a bare LF ends a line, too, as RFC 9112, 2.2 allows
		if len(text) == 0 {
			return f.endHead()
		}
		return f.takeField(text)
	case inChunkLine:
		return f.takeChunkLine(text, crlf)
	case inChunkEnd:
		if len(text) > 0 || !crlf {
			return errBadChunk
		}
		f.state = inChunkLine
	case inTrailers:
		return f.takeTrailer(text, crlf)
	}
	return nil
}

// takeRequestLine begins a request. net/http refuses a line that is malformed.
func (f *framing) takeRequestLine(text []byte, crlf bool) {
	if !f.begun && crlf && string(text) == http2PrefaceLine {
		f.state, f.left = inPreface, uint64(len(http2PrefaceRest))
		return
	}
	*f = framing{state: inFields, line: f.line, begun: true, http10: bytes.HasSuffix(text, []byte(" HTTP/1.0"))}
}

// takeField takes a header field.
func (f *framing) takeField(text []byte) error {
	name, value, err := splitField(text)
	switch {
	case err != nil:
		return err
	case asciiEqualFold(name, "content-length"):
		return f.takeLength(string(value))
	case asciiEqualFold(name, "transfer-encoding"):
		if f.chunked {
			return errTwoCodings
		}
		f.chunked = true // or unknown, which net/http refuses
	}
	return nil
}

func (f *framing) takeLength(value string) (err error) {
	if f.lengths++; f.lengths > 1 || strings.Contains(value, ",") {
		return errTwoLengths
	}
	const maxDigits = 18 // of an int64
	if value == "" || len(value) > maxDigits || strings.Trim(value, "0123456789") != "" {
		return errBadLength
	}
	f.length, err = strconv.ParseUint(value, 10, 63)
	return err
}

// endHead decides what follows a head.
func (f *framing) endHead() error {
	switch {
	case f.chunked && f.http10:
		return errHTTP10Coding // which net/http would ignore
	case f.chunked && f.lengths > 0:
		return errTwoFramings
	case f.chunked:
		f.state = inChunkLine
	case f.length > 0:
		f.state, f.left = inBody, f.length
	default:
		f.state = inRequestLine
	}
	return nil
}

// takeChunkLine takes the size of a chunk, and extensions, which nobody reads.
func (f *framing) takeChunkLine(text []byte, crlf bool) (err error) {
	size, extensions, _ := bytes.Cut(text, []byte{';'})
	const maxDigits = 15
	if !crlf || len(size) == 0 || len(size) > maxDigits || !isFieldValue(extensions) || strings.Trim(string(size), "0123456789abcdefABCDEF") != "" {
		return errBadChunk
	}
	f.left, err = strconv.ParseUint(string(size), 16, 63)
	if f.state = inChunk; f.left == 0 {
		f.state = inTrailers
	}
	return err
}

// takeTrailer takes a trailer field, or the end of the body. A replica must not take one for what
// frames or routes the request (RFC 9110, 6.5.1).
func (f *framing) takeTrailer(text []byte, crlf bool) error {
	if len(text) == 0 && crlf {
		f.state = inRequestLine
		return nil
	}
	name, _, err := splitField(text)
	if err != nil || !crlf {
		return errBadTrailer
	}
	for _, forbidden := range []string{"content-length", "transfer-encoding", "host", "connection", "trailer", "te", "upgrade"} {
		if asciiEqualFold(name, forbidden) {
			return errBadTrailer
		}
	}
	return nil
}

// checkHTTP2Length says what is wrong with the Content-Length of a request over HTTP/2. That the
// body has that length, net/http sees to as the body is read.
func checkHTTP2Length(r *http.Request) error {
	lengths := r.Header["Content-Length"]
	switch {
	case len(lengths) == 0:
		return nil
	case len(lengths) > 1 || strings.Contains(lengths[0], ","):
		return errTwoLengths
	}
	length, err := strconv.ParseUint(lengths[0], 10, 63)
	switch {
	case err != nil:
		return errBadLength
	case length != uint64(r.ContentLength): // there is no body
		return errWrongLength
	}
	return nil
}

// splitField splits a field line strictly (RFC 9112, 5).
func splitField(text []byte) (name, value []byte, err error) {
	if len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
		return nil, nil, errFolded
	}
	name, value, colon := bytes.Cut(text, []byte{':'})
	if !colon || !isToken(name) || !isFieldValue(value) {
		return nil, nil, errBadField
	}
	return name, bytes.Trim(value, " \t"), nil
}

// isToken reports whether a name is a token (RFC 9110, 5.6.2).
func isToken(name []byte) bool {
	for _, c := range name {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return len(name) > 0
}

// isFieldValue reports whether a value has no control character but tabs (RFC 9110, 5.5).
func isFieldValue(value []byte) bool {
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// asciiEqualFold compares a token with one in lower case. Unlike [bytes.EqualFold] it does not take
// ſ for s.
func asciiEqualFold(token []byte, lower string) bool {
	if len(token) != len(lower) {
		return false
	}
	for i, c := range token {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
