package h1

import (
	"bytes"
	"iter"
)

// Classes of bytes.
const (
	classToken = 1 << iota // of a token (RFC 9110, 5.6.2)
	classValue             // of a field value: no control character but tabs (RFC 9110, 5.5)
	classHost              // of a host and a port (RFC 3986, 3.2.2), but no comma, which makes lists
)

var classes = classTable()

func classTable() (table [256]byte) {
	for c := range 256 {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' && c < 0x80
		digit := c >= '0' && c <= '9'
		if letter || digit || c < 0x80 && bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), byte(c)) >= 0 {
			table[c] |= classToken
		}
		if c >= ' ' && c != 0x7f || c == '\t' {
			table[c] |= classValue
		}
		if letter || digit || c < 0x80 && bytes.IndexByte([]byte("-._~%!$&'()*+;=:[]"), byte(c)) >= 0 {
			table[c] |= classHost
		}
	}
	return table
}

// all reports whether all bytes are of a class.
func all(text []byte, class byte) bool {
	for _, c := range text {
		if classes[c]&class == 0 {
			return false
		}
	}
	return true
}

func isToken(text []byte) bool { return len(text) > 0 && all(text, classToken) }

// trim takes the optional white space off (RFC 9110, 5.6.3): its bounds within b.
func trim(b []byte, from, to int) (int, int) {
	for from < to && (b[from] == ' ' || b[from] == '\t') {
		from++
	}
	for from < to && (b[to-1] == ' ' || b[to-1] == '\t') {
		to--
	}
	return from, to
}

// elements are those of a list that are not empty (RFC 9110, 5.6.1).
func elements(value []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for more := true; more; {
			var element []byte
			element, value, more = bytes.Cut(value, []byte{','})
			from, to := trim(element, 0, len(element))
			if from < to && !yield(element[from:to]) {
				return
			}
		}
	}
}

// equalFold compares ASCII text with one in lower case. Unlike [bytes.EqualFold] it does not take ſ
// for s.
func equalFold(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// parseLength reads a Content-Length: 1 to 18 digits and nothing else (RFC 9110, 8.6).
func parseLength(value []byte) (n int64, ok bool) {
	const maxDigits = 18 // fewer than the largest int64 has
	if len(value) == 0 || len(value) > maxDigits {
		return 0, false
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
