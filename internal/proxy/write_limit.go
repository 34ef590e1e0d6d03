package proxy

import (
	"net"
	"sync/atomic"
	"time"
)

// writeLimit is how long a client may take nothing of what is written to it. Setting a deadline
// costs several times as much as reading the clock, so one serves the writes of a while.
type writeLimit struct {
	timeout time.Duration
	began   time.Time    // instants are durations since then
	set     atomic.Int64 // when the deadline was set; 0 if it has to be
}

// slack is the part of the timeout in which a deadline serves further writes, and by which it is
// later than the timeout: no client has less time than that.
const slack = 16

// extend gives a write that begins now at least the timeout.
func (l *writeLimit) extend(conn *net.TCPConn) error {
	now, set := time.Since(l.began), time.Duration(l.set.Load())
	if set != 0 && now-set < l.timeout/slack {
		return nil
	}
	l.set.Store(int64(now))
	return conn.SetWriteDeadline(l.began.Add(now + l.timeout + l.timeout/slack))
}

// forget says that somebody else has set a deadline.
func (l *writeLimit) forget() { l.set.Store(0) }
