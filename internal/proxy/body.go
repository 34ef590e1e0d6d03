package proxy

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// maxReplay is how much of a request's body is remembered for another attempt.
const maxReplay = 64 << 10

// replay reads a request's body as often as attempts need it. Only the newest view can be read.
type replay struct {
	stopped atomic.Bool // nothing needs to be remembered any more

	// guards the rest; held while source is read, which may take as long as the client likes
	mu       sync.Mutex
	source   io.Reader
	recorded []byte
	err      error // that ended source
	lost     bool  // more was read than is remembered, so there is no way back
	current  *replayView
}

// view returns the body from its beginning, and ends the views before.
func (b *replay) view() io.ReadCloser {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = &replayView{body: b}
	return b.current
}

// rewind ends the current view and says whether the body can be read from its beginning once more.
// One that somebody is reading cannot; a request without a body can.
func (b *replay) rewind() bool {
	if b == nil {
		return true
	}
	if !b.mu.TryLock() {
		return false
	}
	defer b.mu.Unlock()
	b.current = nil
	return !b.lost
}

// stopRecording is called when no other attempt will follow. The current view goes on.
func (b *replay) stopRecording() { b.stopped.Store(true) }

// replayView is the body of one attempt.
type replayView struct {
	body   *replay
	offset int
	closed atomic.Bool
}

// Read implements [io.Reader].
func (v *replayView) Read(p []byte) (int, error) {
	b := v.body
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case v.closed.Load() || b.current != v:
		return 0, http.ErrBodyReadAfterClose
	case v.offset < len(b.recorded):
		n := copy(p, b.recorded[v.offset:])
		v.offset += n
		return n, nil
	case b.err != nil:
		return 0, b.err
	}
	n, err := b.source.Read(p)
	b.err = err
	switch {
	case b.stopped.Load() || b.lost:
		b.lost = b.lost || n > 0
	case len(b.recorded)+n > maxReplay:
		b.lost = true
	default:
		b.recorded = append(b.recorded, p[:n]...)
		v.offset = len(b.recorded)
	}
	return n, err
}

// Close implements [io.Closer]. It does not wait for a Read.
func (v *replayView) Close() error {
	v.closed.Store(true)
	return nil
}

// requestBody is what the client sends. It gives up on a client that stops sending, and knows
// whether the client broke off or sent nonsense.
type requestBody struct {
	io.ReadCloser
	control *http.ResponseController
	timeout time.Duration
	failure atomic.Pointer[error]
}

// Read implements [io.Reader].
func (b *requestBody) Read(p []byte) (int, error) {
	// every server of net/http can; without one there is no limit
	_ = b.control.SetReadDeadline(time.Now().Add(b.timeout))
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		// the server goes on reading, to see whether the client leaves
		_ = b.control.SetReadDeadline(time.Time{})
	}
	if err != nil && err != io.EOF && err != http.ErrBodyReadAfterClose {
		b.failure.Store(&err)
	}
	return n, err
}

// broken returns why the body broke off, if it did.
func (b *requestBody) broken() error {
	if b == nil {
		return nil
	}
	if err := b.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// responseBody notes that an answer broke off.
type responseBody struct {
	io.ReadCloser
	err error
}

// Read implements [io.Reader].
func (b *responseBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// upgradedBody is a connection that changed protocols. It notes whether the replica was the one to
// end it.
type upgradedBody struct {
	io.ReadWriteCloser
	ended atomic.Bool // by the client
	cut   atomic.Bool
}

// Read implements [io.Reader].
func (b *upgradedBody) Read(p []byte) (int, error) {
	n, err := b.ReadWriteCloser.Read(p)
	if err != nil && !b.ended.Load() {
		b.cut.Store(true)
	}
	return n, err
}

// CloseWrite hands the client's end of the connection on.
func (b *upgradedBody) CloseWrite() error {
	b.ended.Store(true)
	if half, ok := b.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return http.ErrNotSupported
}

// Close implements [io.Closer].
func (b *upgradedBody) Close() error {
	b.ended.Store(true)
	return b.ReadWriteCloser.Close()
}
