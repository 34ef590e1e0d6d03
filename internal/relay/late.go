package relay

import (
	"net"
	"sync"
	"time"
)

const (
	// maxLate is how many chunks a direction keeps until they are due: 2 MiB. Then the sender
	// waits.
	maxLate = 64
	// maxLateTogether is how many all connections of a relay keep: 64 MiB.
	maxLateTogether = 32 * maxLate
)

// lateChunk is what was read at one time; nil data is the end.
type lateChunk struct {
	data []byte
	due  time.Time
}

// lateLine delivers chunks of one direction later, in their order, so that a delay costs no
// throughput. Its goroutine ends after the end of the direction, or with the connection.
type lateLine struct {
	conn   *conn
	to     *net.TCPConn
	chunks chan lateChunk
	writer sync.WaitGroup
	closed bool
}

func newLateLine(c *conn, to *net.TCPConn) *lateLine {
	l := &lateLine{conn: c, to: to, chunks: make(chan lateChunk, maxLate)}
	l.writer.Go(l.run)
	return l
}

// put is called by one goroutine.
func (l *lateLine) put(data []byte, m Mode) {
	due := time.Now().Add(m.Delay)
	// A broken connection gives back its room at once, so this wait ends.
	l.conn.relay.late <- struct{}{}
	l.chunks <- lateChunk{data, due}
}

// wait waits until everything is delivered. A nil line has nothing.
func (l *lateLine) wait() {
	if l == nil {
		return
	}
	if !l.closed {
		l.closed = true
		close(l.chunks)
	}
	l.writer.Wait()
}

func (l *lateLine) run() {
	going := true
	for chunk := range l.chunks {
		switch {
		case !going || !l.sleep(chunk.due):
			going = false // what comes is dropped, so that put never waits for ever
		case chunk.data == nil:
			l.conn.finish(l.to)
		default:
			going = l.conn.pass(l.to, chunk.data)
		}
		<-l.conn.relay.late
	}
}

// sleep waits until a chunk is due: not when the mode is slow no more. It reports whether the
// connection goes on.
func (l *lateLine) sleep(due time.Time) bool {
	for {
		mode, changed, broken := l.conn.now()
		left := time.Until(due)
		if broken || left <= 0 || mode.Kind == Pass {
			return !broken
		}
		timer := time.NewTimer(left)
		select {
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}
