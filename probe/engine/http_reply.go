package engine

import (
	"bytes"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/internal/verdict"
)

const (
	bodyLimit = verdict.OutputLimit // bytes of a body that are read (R61)

	// replyLimit is how many bytes of an answer the fast path parses. One that is not decided by
	// then is left to net/http, whose limits are far higher.
	replyLimit = 32 << 10
)

// stage is how far the fast path has got with the bytes that it has received.
type stage int

const (
	inHead      stage = iota // the answer's head, or its beginning, is not complete
	inBody                   // the head is complete, the body not
	decided                  // there is a result
	unsupported              // net/http has to decide
)

// httpReply is what the bytes received for a GET amount to.
type httpReply struct {
	stage  stage
	status int    // if decided or inBody
	body   []byte // if decided; at most bodyLimit bytes
}

// result is what an answer that is decided says about the service.
func (r httpReply) result() probe.Result {
	body := string(r.body)
	result := resultOf(verdict.HTTP(r.status, body))
	result.Detail = probe.Detail{Status: r.status, Body: verdict.Beginning(body), BodySize: len(body)}
	return result
}

// readHTTP reads an answer from its beginning. ended means that nothing follows.
//
// It accepts a part of what net/http accepts. An answer is unsupported as soon as net/http could
// find fault with the bytes, or needs more than status, length and body to decide.
func readHTTP(data []byte, ended bool) httpReply {
	head, rest := httpHead{length: -1}, data
	for n := 0; ; n++ {
		end := bytes.IndexByte(rest, '\n')
		switch {
		case end < 0 && (ended || len(data) >= replyLimit):
			return httpReply{stage: unsupported}
		case end < 0:
			return httpReply{stage: inHead}
		case end == 0 || rest[end-1] != '\r':
			return httpReply{stage: unsupported}
		}
		line := rest[:end-1]
		rest = rest[end+1:]
		if n > 0 && len(line) == 0 {
			break
		}
		if (n == 0 && !head.statusLine(line)) || (n > 0 && !head.field(line)) {
			return httpReply{stage: unsupported}
		}
	}
	if head.unsupported() {
		return httpReply{stage: unsupported}
	}
	reply := head.readBody(rest, ended)
	reply.status = head.status
	if reply.stage == inBody && (ended || len(data) >= replyLimit) {
		reply.stage = unsupported
	}
	return reply
}

// httpHead is what matters of an answer's head.
type httpHead struct {
	status   int
	http10   bool
	length   int64 // Content-Length, or -1
	chunked  bool
	location bool
}

// statusLine reads the first line; false means that it is not of the plainest form.
func (h *httpHead) statusLine(line []byte) bool {
	const version = "HTTP/1.x "
	if len(line) < len(version)+3 || string(line[:7]) != "HTTP/1." || line[8] != ' ' {
		return false
	}
	h.http10 = line[7] == '0'
	if !h.http10 && line[7] != '1' {
		return false
	}
	for _, c := range line[len(version) : len(version)+3] {
		if c < '0' || c > '9' {
			return false
		}
		h.status = h.status*10 + int(c-'0')
	}
	reason := line[len(version)+3:]
	return len(reason) == 0 || reason[0] == ' '
}

// field reads a header line; false means that net/http has to judge it.
func (h *httpHead) field(line []byte) bool {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || !isToken(name) || !isText(value) {
		return false
	}
	value = bytes.Trim(value, " \t")
	switch len(name) {
	case len("Trailer"):
		return !equalFold(name, "trailer")
	case len("Location"):
		h.location = h.location || equalFold(name, "location")
	case len("Content-Length"):
		return !equalFold(name, "content-length") || h.contentLength(value)
	case len("Transfer-Encoding"):
		if equalFold(name, "transfer-encoding") {
			once := !h.chunked
			h.chunked = true
			return once && equalFold(value, "chunked")
		}
	}
	return true
}

// contentLength reads the one Content-Length that there may be.
func (h *httpHead) contentLength(value []byte) bool {
	if h.length >= 0 || len(value) == 0 || len(value) > 18 {
		return false
	}
	h.length = 0
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
		h.length = h.length*10 + int64(c-'0')
	}
	return true
}

// unsupported reports whether the answer is more than a status and a body: interim, or a redirect
// that may have to be followed (R65, R66), or of an ambiguous length.
func (h *httpHead) unsupported() bool {
	switch h.status {
	case 301, 302, 303, 307, 308:
		if h.location {
			return true
		}
	}
	return h.status < 200 || (h.chunked && (h.length >= 0 || h.http10))
}

// readBody reads as much of the body as counts (R61).
func (h *httpHead) readBody(rest []byte, ended bool) httpReply {
	switch {
	case h.status == 204 || h.status == 304:
		return httpReply{stage: decided, status: h.status}
	case h.chunked:
		return h.readChunks(rest)
	}
	want := int64(bodyLimit)
	if h.length >= 0 {
		want = min(want, h.length)
	}
	switch {
	case int64(len(rest)) >= want:
		return httpReply{stage: decided, status: h.status, body: rest[:want]}
	case h.length < 0 && ended:
		return httpReply{stage: decided, status: h.status, body: rest}
	}
	return httpReply{stage: inBody}
}

// isToken reports whether a header's name has only the bytes that names have.
func isToken(name []byte) bool {
	for _, c := range name {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return len(name) > 0
}

// isText reports whether a header's value is printable ASCII.
func isText(value []byte) bool {
	for _, c := range value {
		if (c < ' ' && c != '\t') || c > '~' {
			return false
		}
	}
	return true
}

// equalFold compares with a lower-case word that has no letters but ASCII ones.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
