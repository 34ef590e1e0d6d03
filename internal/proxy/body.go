package proxy

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// maxReplay is how much of a request's body is recorded for another attempt.
const maxReplay = 64 << 10

// replayBody lets several attempts read the body of one request, each from its beginning. Only the
// newest reader can be read. Nothing is recorded that cannot be sent again: when something of the
// request has reached an endpoint, only the body of an idempotent one.
type replayBody struct {
	stopped    atomic.Bool // no other attempt will follow, so nothing has to be recorded
	idempotent bool        // the request may be sent again after it was sent

	// guards the rest; held while source is read, which may take as long as the client likes
	mu       sync.Mutex
	source   io.Reader
	recorded []byte
	err      error         // that ended source
	lost     bool          // more was read than was recorded, so the beginning is gone
	reader   *replayReader // the newest one
}

// newReader returns the body from its beginning, for an attempt, and ends the readers before.
func (rb *replayBody) newReader(attempt *upstreamAttempt) io.ReadCloser {
	rb.mu.Lock()
	defer rb.mu.Unlock()
	rb.reader = &replayReader{body: rb, attempt: attempt}
	return rb.reader
}

// mayFollowLocked reports whether another attempt may follow the one of a reader.
func (rb *replayBody) mayFollowLocked(r *replayReader) bool {
	return !rb.stopped.Load() && (rb.idempotent || !r.attempt.sent.Load())
}

// rewind ends the current reader and reports whether the body can be read from its beginning once
// more. It cannot while the current reader waits for the client; no body at all (nil) can.
func (rb *replayBody) rewind() bool {
	if rb == nil {
		return true
	}
	if !rb.mu.TryLock() {
		return false
	}
	defer rb.mu.Unlock()
	rb.reader = nil
	return !rb.lost
}

// stopRecording is called when no other attempt will follow. The current reader goes on.
func (rb *replayBody) stopRecording() { rb.stopped.Store(true) }

// replayReader is the body of one attempt.
type replayReader struct {
	body    *replayBody
	attempt *upstreamAttempt
	offset  int
	closed  atomic.Bool
}

// Read implements [io.Reader].
func (r *replayReader) Read(p []byte) (int, error) {
	rb := r.body
	rb.mu.Lock()
	defer rb.mu.Unlock()
	switch {
	case r.closed.Load() || rb.reader != r:
		return 0, http.ErrBodyReadAfterClose
	case r.offset < len(rb.recorded):
		n := copy(p, rb.recorded[r.offset:])
		r.offset += n
		return n, nil
	case rb.err != nil:
		return 0, rb.err
	}
	if !rb.mayFollowLocked(r) && len(rb.recorded) > 0 {
		rb.recorded, rb.lost, r.offset = nil, true, 0
	}
	n, err := rb.source.Read(p)
	rb.err = err
	switch {
	case !rb.mayFollowLocked(r) || rb.lost:
		rb.lost = rb.lost || n > 0
	case len(rb.recorded)+n > maxReplay:
		rb.recorded, rb.lost, r.offset = nil, true, 0
	default:
		rb.recorded = append(rb.recorded, p[:n]...)
		r.offset = len(rb.recorded)
	}
	return n, err
}

// Close implements [io.Closer]. It does not wait for a Read.
func (r *replayReader) Close() error {
	r.closed.Store(true)
	return nil
}

// requestBody is the body that the client sends. It gives up on a client that stops sending, and
// knows whether the client broke off or sent something that is no HTTP.
type requestBody struct {
	io.ReadCloser
	control *http.ResponseController // nil means no limit
	timeout time.Duration
	failure atomic.Pointer[error]
}

// Read implements [io.Reader].
func (b *requestBody) Read(p []byte) (int, error) {
	if b.control != nil {
		// every server of net/http supports it; if one did not, there would be no limit
		_ = b.control.SetReadDeadline(time.Now().Add(b.timeout))
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.control != nil {
		// without a limit: the server goes on reading, to notice when the client goes away
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

// upgradedBody is a connection that changed protocols (101). It notes whether it was the endpoint
// that ended it.
type upgradedBody struct {
	io.ReadWriteCloser
	instance *instance   // that the endpoint is
	ended    atomic.Bool // by the client
	cut      atomic.Bool // by the endpoint, of which the instance was told
}

// noteEnd notes that the endpoint has ended the connection, if err says so and the client has not.
func (b *upgradedBody) noteEnd(err error) {
	if err != nil && !b.ended.Load() && !b.cut.Swap(true) {
		b.instance.connectionCut()
	}
}

// Read implements [io.Reader].
func (b *upgradedBody) Read(p []byte) (int, error) {
	n, err := b.ReadWriteCloser.Read(p)
	b.noteEnd(err)
	return n, err
}

// Write implements [io.Writer]. A client that sends may meet the end of the endpoint here first.
func (b *upgradedBody) Write(p []byte) (int, error) {
	n, err := b.ReadWriteCloser.Write(p)
	b.noteEnd(err)
	return n, err
}

// CloseWrite passes on that the client has ended its side of the connection.
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
