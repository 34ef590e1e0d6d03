package probe

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// TCPSocket is the tcpSocket handler (R78–R82): healthy is what accepts a connection. Nothing is
// sent or read, so a service whose kernel still completes handshakes is healthy even if nobody
// calls accept.
type TCPSocket struct {
	// Host is a name or address; names are resolved on this machine. Default [DefaultHost].
	Host string
	// Port is 1 to 65535; anything else is a prober error.
	Port int
	// Timeout covers name resolution and connecting. Default [DefaultTimeout].
	Timeout time.Duration
	// Dial opens the connection. Default: a plain TCP connection.
	Dial DialFunc
}

// Probe connects once and closes the connection. A success has no output; a failure's output is the
// dial error.
func (t TCPSocket) Probe(ctx context.Context) Result {
	if err := checkPort(t.Port); err != nil {
		return unevaluable(err)
	}
	limited, cancel := context.WithTimeout(ctx, timeoutOr(t.Timeout))
	defer cancel()
	seen := observe()
	return seen.complete(t.connect(ctx, limited, seen))
}

// connect is the attempt. limited ends when its time is up.
func (t TCPSocket) connect(ctx, limited context.Context, seen *observer) Result {
	conn, err := t.Dial.orDefault()(limited, "tcp", address(t.Host, t.Port))
	switch {
	case err == nil:
		seen.connected(conn)
		_ = conn.Close() // a failing close does not change that the service accepted (R81)
		return Result{Outcome: Success}
	case errors.Is(err, syscall.ECONNRESET):
		// A port that nobody listens on refuses; only an accepted connection can be reset (R79).
		// Whether the reset is seen here already is a race.
		return Result{Outcome: Success}
	}
	if result, ok := excused(ctx, err); ok {
		return result
	}
	result := failure(err.Error())
	result.Detail.TimedOut = isTimeout(err)
	return result
}
