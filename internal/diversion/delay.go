package diversion

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"
)

// What a Pod says is kept in so many pieces of such a size for as long as it is delayed: a mebibyte
// of a connection. Who says more is slowed down, as by a network.
const (
	maxPieces = 32
	maxPiece  = 32 << 10
)

// piece is what a Pod said and when that is due, or how it ended if there is an error.
type piece struct {
	due  time.Time
	data []byte
	end  error
}

// listen takes what the Pod says.
func (s *slowness) listen(ctx context.Context, pod io.Reader, said chan<- piece) {
	buffer := make([]byte, maxPiece)
	for {
		n, err := pod.Read(buffer)
		select {
		case said <- piece{time.Now().Add(s.delay), bytes.Clone(buffer[:n]), err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// listener is the client's half of a connection that hears answers, as [net.TCPConn] has it.
type listener interface {
	io.Writer
	CloseWrite() error
	SetLinger(seconds int) error
}

// answer tells the client everything that the Pod says when it is due, the end included.
func (s *slowness) answer(ctx context.Context, client listener, said <-chan piece, cut func()) {
	for {
		var next piece
		select {
		case next = <-said:
		case <-ctx.Done():
			return
		}
		s.untilDue(ctx, next.due)
		if _, err := client.Write(next.data); err != nil {
			cut() // the client is gone
			return
		}
		switch {
		case next.end == nil:
			continue
		case isEnd(next.end):
			_ = client.CloseWrite() // it may be gone
		default:
			_ = client.SetLinger(0) // as the Pod has reset it
			cut()
		}
		return
	}
}

// untilDue waits for a moment, for the end of the fault or for the context.
func (s *slowness) untilDue(ctx context.Context, due time.Time) {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.over:
	case <-ctx.Done():
	}
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) }
