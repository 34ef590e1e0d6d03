package engine

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/probe/internal/healthcall"
)

// follow does what the call says.
func (c *conn) follow(step healthcall.Step) {
	switch step.Next {
	case healthcall.Done:
		c.attempt.finish(resultOf(step.Verdict))
	case healthcall.Redial:
		c.close()
		e := c.attempt.engine
		e.at(time.Now().Add(step.Pause), &c.retry)
	case healthcall.Read:
		if len(step.Send) > 0 {
			c.reply(step.Send)
		}
	}
}

// reply sends what a call answers to the server. The request has been sent by then.
func (c *conn) reply(answer []byte) {
	n, err := write(c.fd, answer)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		n = 0
	case err != nil:
		return // reading tells why
	}
	if n < len(answer) {
		c.out, c.sent = answer, n
		c.watch(unix.EPOLLOUT)
	}
}
