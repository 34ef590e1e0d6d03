package probe

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/probity-run/probity/probe/internal/verdict"
)

// DetailLimit is how many bytes of a body a [Detail] has.
const DetailLimit = verdict.DetailLimit

// Detail is what an attempt saw on its way to the result, for somebody who wants to know why it
// ended as it did. It is kept apart from the Output because that is quoted in Events: the body of a
// failed answer may hold what few people should read.
type Detail struct {
	// Status is the HTTP status code of the last answer, 0 if there was none.
	Status int
	// ExitCode is that of a command that ended in time: 128+n for a death by signal n. 0 for every
	// other attempt.
	ExitCode int
	// Body is the beginning of the answer's body, or of what a command wrote: at most DetailLimit
	// bytes, any of them. BodySize is how many were read of it, at most 10 KiB.
	Body     string
	BodySize int
	// Remote is the address of the last connection that was made, "" if none was.
	Remote string
	// Connect is the time from the beginning of the attempt until that connection was established,
	// which includes finding the address of a name; FirstByte until the first byte of the last
	// answer came; Total until there was a result. 0 means that it did not come to that.
	Connect, FirstByte, Total time.Duration
	// TimedOut says that the attempt failed because its time was up.
	TimedOut bool
}

// observer notes what happens to the connections of one attempt. A dial can outlive its attempt, so
// it is safe for concurrent use.
type observer struct {
	began time.Time

	mu     sync.Mutex // guards detail
	detail Detail
}

func observe() *observer { return &observer{began: time.Now()} }

// connected notes a new connection.
func (o *observer) connected(conn net.Conn) {
	took := time.Since(o.began)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.detail.Connect, o.detail.FirstByte, o.detail.Remote = took, 0, ""
	if remote := conn.RemoteAddr(); remote != nil {
		o.detail.Remote = remote.String()
	}
}

// firstByte notes that an answer begins.
func (o *observer) firstByte() {
	took := time.Since(o.began)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.detail.FirstByte = took
}

// complete adds what was observed to the detail of a result.
func (o *observer) complete(r Result) Result {
	o.mu.Lock()
	defer o.mu.Unlock()
	r.Detail.Connect, r.Detail.FirstByte, r.Detail.Remote = o.detail.Connect, o.detail.FirstByte, o.detail.Remote
	r.Detail.Total = time.Since(o.began)
	return r
}

// isTimeout reports whether an error means that time was up.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout()
}
