package proxy

import (
	"errors"

	"github.com/probity-run/probity/internal/h1"
)

// framing follows the HTTP/1 requests that a client sends to a port that speaks HTTP/2, to where
// each of them ends, by the rules of package h1, and finds the first one that these refuse. The
// server of net/http accepts some of those: it drops a Content-Length beside a Transfer-Encoding,
// and joins folded lines (RFC 9112, 5.2, 6.1 and 6.3). What was read in another way before it came
// here, by an ingress say, could hide a second request in the body of the first.
//
// It refuses all that net/http would read differently from h1, so the two never disagree about
// where a request begins. What it lets through, net/http may still refuse.
type framing struct {
	state   framingState
	head    []byte // the beginning of a head whose end has not come yet
	begun   bool   // a request came before
	request h1.Request
	body    h1.Body
	left    int // bytes until the end of the preface of HTTP/2
}

// framingState is what the next byte belongs to.
type framingState int

const (
	inHead framingState = iota
	inBody
	// inPreface: the first head was that of HTTP/2 with prior knowledge.
	inPreface
	// unread: no more HTTP/1 will come, or nothing that net/http takes.
	unread
)

// longestHead is more than net/http reads of a head.
const longestHead = maxHeaderBytes + 2*headSlack

// maxKeptHead is how much memory a connection keeps for the next head that comes in pieces.
const maxKeptHead = 4 << 10

var errBadPreface = errors.New("the preface of HTTP/2 is malformed")

// scan takes the next bytes of the connection. If it refuses a request, n of the bytes come before
// the one that ends its head, or before the part of its body that it is refused for; nothing may
// follow them.
func (f *framing) scan(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var used int
		switch f.state {
		case unread:
			used = len(p) - n
		case inPreface:
			used, err = f.takePreface(p[n:])
		case inBody:
			used, err = f.takeBody(p[n:])
		default:
			used, err = f.takeHead(p[n:])
		}
		n += used
	}
	return n, err
}

// takeHead takes bytes up to the end of a head, and decides what follows it.
func (f *framing) takeHead(p []byte) (used int, err error) {
	seen, whole := len(f.head), p
	if seen > 0 {
		f.head = append(f.head, p...)
		whole = f.head
	}
	end := h1.HeadEnd(whole, seen)
	switch {
	case end == 0 && seen == 0:
		f.head = append(f.head, p...)
		fallthrough
	case end == 0:
		if len(whole) > longestHead {
			f.state, f.head = unread, nil
		}
		return len(p), nil
	case end > longestHead:
		f.state, f.head = unread, nil
		return len(p), nil
	}
	used = end - seen
	if err := f.begin(whole[:end]); err != nil {
		return used - 1, err
	}
	if f.head = f.head[:0]; cap(f.head) > maxKeptHead {
		f.head = nil
	}
	return used, nil
}

// begin begins a request, or HTTP/2.
func (f *framing) begin(head []byte) error {
	if !f.begun && string(head) == h1.PrefaceHead {
		f.state, f.left = inPreface, len(h1.PrefaceRest)
		return nil
	}
	f.begun = true
	if err := f.request.Parse(head); err != nil {
		return err
	}
	f.body.Begin(f.request.Framing, f.request.Length, false)
	if !f.body.Ended() {
		f.state = inBody
	}
	return nil
}

// takeBody takes bytes of a body. What is in a chunk is looked at by nobody; what frames it, byte
// by byte, as [h1.Body.Filter] may move what it gets.
func (f *framing) takeBody(p []byte) (used int, err error) {
	for used < len(p) && !f.body.Ended() {
		if plain := int(min(f.body.Plain(), int64(len(p)-used))); plain > 0 {
			f.body.Skip(int64(plain))
			used += plain
			continue
		}
		next := [1]byte{p[used]}
		if _, _, err := f.body.Filter(next[:]); err != nil {
			return used, err
		}
		used++
	}
	if f.body.Ended() {
		f.state = inHead
	}
	return used, nil
}

// takePreface takes what follows the first line of HTTP/2 (RFC 9113, 3.4).
func (f *framing) takePreface(p []byte) (used int, err error) {
	for used < len(p) && f.left > 0 {
		if p[used] != h1.PrefaceRest[len(h1.PrefaceRest)-f.left] {
			return used, errBadPreface
		}
		used++
		f.left--
	}
	if f.left == 0 {
		f.state = unread
	}
	return used, nil
}
