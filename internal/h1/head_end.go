package h1

import "bytes"

// HeadEnd returns the length of the head at the beginning of p, with its empty line, or 0 if that
// is not whole. The first seen bytes were looked at before, so that a head that comes in pieces is
// not read from its beginning each time.
func HeadEnd(p []byte, seen int) int {
	for i := max(0, seen-len("\n\r")); ; {
		end := bytes.IndexByte(p[i:], '\n')
		if end < 0 {
			return 0
		}
		i += end + 1
		switch rest := p[i:]; { // a bare LF ends a line, too (RFC 9112, 2.2)
		case len(rest) > 0 && rest[0] == '\n':
			return i + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 2
		}
	}
}

// LeadingLines returns how many bytes of empty lines come before a request, which some clients send
// after the body of the one before (RFC 9112, 2.2).
func LeadingLines(p []byte) int {
	n := 0
	for {
		switch rest := p[n:]; {
		case len(rest) > 0 && rest[0] == '\n':
			n++
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			n += 2
		default:
			return n
		}
	}
}

// MayBegin reports whether a request may begin with a byte, so that what is no HTTP, such as TLS,
// is refused before it waits for the end of a line.
func MayBegin(c byte) bool { return classes[c]&classToken != 0 || c == '\r' || c == '\n' }

// The preface of HTTP/2 with prior knowledge (RFC 9113, 3.4): its first part looks like a head.
const (
	PrefaceHead = "PRI * HTTP/2.0\r\n\r\n"
	PrefaceRest = "SM\r\n\r\n"
)
