package probe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/probity-run/probity/probe/internal/healthcall"
	"github.com/probity-run/probity/probe/internal/verdict"
)

// GRPC is the grpc handler (R90–R95): one call of grpc.health.v1.Health/Check over a plaintext
// connection. The service is healthy if it answers SERVING.
//
// Unlike the other handlers it keeps trying to connect: a refused connection takes the whole
// Timeout, and a service that comes up within it is found. No answer of a service is a prober
// error.
type GRPC struct {
	// Host is a name or address. Default [DefaultHost]. (Kubernetes has no such field: it is the
	// pod's address.)
	Host string
	// Port is a number; one that nobody can listen on is a failure like any wrong port (R95).
	Port int
	// Service is the name sent in the request. Default: empty, the server as a whole. An attempt
	// with a name that is not UTF-8, or longer than about 64 KiB, fails when it has connected.
	Service string
	// Timeout covers connecting and the call together. Default [DefaultTimeout].
	Timeout time.Duration
	// Dial opens the connection. Default: a plain TCP connection.
	Dial DialFunc
}

// Probe connects, calls once and disconnects. A success has no output.
func (g GRPC) Probe(ctx context.Context) Result {
	timeout, addr := timeoutOr(g.Timeout), address(g.Host, g.Port)
	seen := observe()
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result := seen.complete(g.call(ctx, limited, addr, seen))
	result.Detail.TimedOut = result.Outcome == Failure && result.Detail.Total >= timeout
	return result
}

// call is the attempt. limited ends when its time is up.
func (g GRPC) call(ctx, limited context.Context, addr string, seen *observer) Result {
	timeout := timeoutOr(g.Timeout)
	call := healthcall.NewTarget(addr, g.Service, DefaultUserAgent, timeout).Start(rand.Float64())
	for {
		step, shortage := g.connect(limited, &call, addr, seen)
		switch {
		case ctx.Err() != nil:
			return stopped(ctx)
		case shortage != nil: // trying on until the time-out would only make it worse
			return unevaluable(fmt.Errorf("%w: %w", ErrShortage, shortage))
		case step.Next == healthcall.Done:
			return resultOf(step.Verdict)
		}
		select {
		case <-time.After(step.Pause):
		case <-limited.Done():
			if ctx.Err() != nil {
				return stopped(ctx)
			}
			return resultOf(call.Expired())
		}
	}
}

// readSize is how many bytes of an answer are read at once.
const readSize = 4 << 10

// connect opens a connection and lets the call go on over it for as long as it can. An error means
// that this machine is short of what a connection needs.
func (g GRPC) connect(ctx context.Context, call *healthcall.Call, addr string, seen *observer) (healthcall.Step, error) {
	connecting, cancel := context.WithTimeout(ctx, call.ConnectTimeout())
	defer cancel()
	conn, err := g.Dial.orDefault()(connecting, "tcp", addr)
	if err != nil {
		if verdict.IsShortage(err) {
			return healthcall.Step{}, err
		}
		return call.DialFailed(err), nil
	}
	defer conn.Close()
	seen.connected(conn)
	giveUp := func() { _ = conn.SetDeadline(time.Unix(1, 0)) } // ends reading and writing
	inTime := context.AfterFunc(connecting, giveUp)
	defer inTime()
	defer context.AfterFunc(ctx, giveUp)()
	deadline, _ := ctx.Deadline()
	late := func() bool { return !time.Now().Before(deadline) } // ctx is done a moment later
	send, buffer, answered := call.Dialled(), make([]byte, readSize), false
	for err == nil {
		if len(send) > 0 {
			_, _ = conn.Write(send) // reading tells why that goes nowhere
		}
		var n int
		n, err = conn.Read(buffer)
		if n > 0 && !answered {
			answered = true
			seen.firstByte()
		}
		step := call.Received(buffer[:n], late())
		if step.Next != healthcall.Read {
			return step, nil
		}
		if send = step.Send; call.Connected() {
			inTime()
		}
	}
	if late() || ctx.Err() != nil {
		return healthcall.Step{Next: healthcall.Done, Verdict: call.Expired()}, nil
	}
	return call.Ended(err), nil
}
