//go:build unix

package proxy

import "golang.org/x/sys/unix"

// sendOnce sends what there is room for, and reports whether that was all.
//
// All of it is one wait for the endpoint: that is begun, so that nothing which comes from then on
// is missed; then a look shows whether anything has come before; then the piece is written. So it
// needs no attempt to read before there can be an answer.
func (u *upstreamConn) sendOnce() (all bool, err error) {
	s, in := &u.sending, &u.in
	whole := len(s.piece)
	in.n, in.err = 0, nil
	err = in.raw.Read(u.attempt)
	switch {
	case s.err == unix.EAGAIN:
		return false, nil
	case s.err != nil:
		return false, s.err
	case s.n == 0:
		return false, err
	case s.n == whole && s.answer:
		in.ahead = true
		in.waited(err)
	}
	return s.n == whole, nil
}

// trySend sends, and then reads if there is something. It reports whether the wait is over.
func (u *upstreamConn) trySend(fd uintptr) bool {
	s := &u.sending
	if s.piece == nil {
		return u.in.tryRead(fd)
	}
	piece := s.piece
	s.piece = nil
	if u.kept && !isSilent(fd) {
		s.err = errStale
		return true
	}
	if s.n, s.err = writeNow(fd, piece); s.n > 0 {
		s.attempt.markSent()
	}
	return !s.answer || s.n < len(piece)
}
