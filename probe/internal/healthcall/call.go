// Package healthcall makes one call of grpc.health.v1.Health/Check, without any I/O: what to send
// over a connection, what the bytes that come back amount to, when to open another connection, and
// what the end means for a probe (R90–R95).
//
// It behaves like grpc-go, which the kubelet uses, down to the texts. The module test/grpc compares
// the two.
package healthcall

import (
	"context"
	"fmt"
	"time"

	"github.com/probity-run/probity/probe/internal/verdict"
)

// Target is what all calls of one probe have in common. It does not change.
type Target struct {
	addr    string
	timeout time.Duration
	request []byte // all that is sent without being asked
	refusal status // of a request that cannot be sent, or nothing
}

// NewTarget returns the target of calls at addr, host and port, with the name of the service to
// ask for. The server sees userAgent followed by the name of the library that the kubelet uses.
// timeout is the time for a whole call. It is only written down here: the owner of a call keeps it.
func NewTarget(addr, service, userAgent string, timeout time.Duration) *Target {
	t := &Target{addr: addr, timeout: timeout, refusal: refusal(service)}
	t.request = newRequest(addr, service, userAgent, timeout, t.refusal != status{})
	return t
}

// Next is what the owner of a call has to do.
type Next int

// What can come next.
const (
	// Read means: send what Step.Send has, then go on reading from this connection.
	Read Next = iota
	// Redial means: close this connection, wait for Step.Pause, and open another one.
	Redial
	// Done means: the call is over. Step.Verdict has the result.
	Done
)

// Step is what the owner of a call has to do next.
type Step struct {
	Next    Next
	Send    []byte
	Pause   time.Duration
	Verdict verdict.Verdict
}

// Call is one call. Its owner opens connections and reports what happens to them; each report
// returns what to do next. A Call is not safe for concurrent use.
type Call struct {
	target   *Target
	random   float64
	conn     connection
	retries  int  // attempts in a row to connect that failed
	began    bool // a server was connected, so the call itself is under way
	repeated bool // the call was repeated, which happens once
}

// Start begins a call. random is a number in [0, 1) that spreads the pauses of many calls.
func (t *Target) Start(random float64) Call {
	return Call{target: t, random: random}
}

// Dialled reports that a connection is open, and returns what to send over it at once.
func (c *Call) Dialled() []byte {
	c.conn = connection{}
	return c.target.request
}

// DialFailed reports that no connection could be opened.
func (c *Call) DialFailed(err error) Step {
	return c.unconnected(fmt.Sprintf("transport: Error while dialing: %v", err))
}

// Received reports what was read. late means that the time of the call is over.
func (c *Call) Received(data []byte, late bool) Step {
	send, found := c.conn.receive(data)
	if c.conn.connected {
		c.began, c.retries = true, 0
	}
	switch found.state {
	case broken:
		return c.lost(found.reason)
	case open:
		if (c.conn.connected && c.target.refusal != status{}) {
			return c.over(c.target.refusal)
		}
		return Step{Next: Read, Send: send}
	case unprocessed:
		if !c.repeated {
			c.repeated, c.conn = true, connection{}
			return Step{Next: Redial}
		}
	case over:
		if found.status.code == codeCanceled && found.reset && late {
			// a server that keeps the time too has broken off what is overdue
			found.status.code = codeDeadlineExceeded
		}
	}
	return c.over(found.status)
}

// Ended reports that nothing more can be read from the connection, or written to it.
func (c *Call) Ended(end error) Step {
	return c.lost(c.conn.endText(end))
}

// Connected reports whether the server has sent the settings of HTTP/2, with which it begins. A
// connection without them after [Call.ConnectTimeout] is to be given up, and reported as ended.
func (c *Call) Connected() bool { return c.conn.connected }

// ConnectTimeout is how long dialling and the server's settings may take together.
func (c *Call) ConnectTimeout() time.Duration {
	return max(minConnectTimeout, c.pause())
}

// Expired returns the verdict when the time of the call is over.
func (c *Call) Expired() verdict.Verdict {
	if c.began {
		return overdue(c.target.timeout)
	}
	return verdict.Failed(fmt.Sprintf("timeout: failed to connect service %q within %v: %v",
		c.target.addr, c.target.timeout, context.DeadlineExceeded))
}

// lost decides what it means that the connection cannot be used any more.
func (c *Call) lost(reason string) Step {
	if !c.conn.connected {
		return c.unconnected("error reading server preface: " + reason)
	}
	return c.over(c.conn.lost(reason))
}

// unconnected decides what it means that no server was connected: the next connection is tried
// after a pause (R93), unless the call is under way already.
func (c *Call) unconnected(reason string) Step {
	if c.began {
		return c.over(status{codeUnavailable, fmt.Sprintf("connection error: desc = %q", reason)})
	}
	pause := c.pause()
	c.retries++
	return Step{Next: Redial, Pause: pause}
}

// over ends the call with a status, or by the answer if the status is OK.
func (c *Call) over(s status) Step {
	if found := c.conn.response.readMessages(); found.state == over {
		s = found.status // of a message that came before the headers
	}
	if s.code == codeOK {
		return Step{Next: Done, Verdict: servingVerdict(c.conn.response.serving)}
	}
	return Step{Next: Done, Verdict: s.verdict(c.target.timeout)}
}
