package engine

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/probe/internal/healthcall"
)

// follow does what the call says.
func (x *exchange) follow(step healthcall.Step) {
	switch step.Next {
	case healthcall.Done:
		x.attempt.finish(resultOf(step.Verdict))
	case healthcall.Redial:
		x.hangUp()
		e := x.attempt.engine
		e.at(time.Now().Add(step.Pause), &x.retry)
	case healthcall.Read:
		if len(step.Send) > 0 {
			x.reply(step.Send)
		}
	}
}

// reply sends what a call answers to the server. The request has been sent by then.
func (x *exchange) reply(answer []byte) {
	n, err := write(x.fd, answer)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		n = 0
	case err != nil:
		return // reading tells why
	}
	if n < len(answer) {
		x.out, x.sent = answer, n
		x.watch(unix.EPOLLOUT)
	}
}
