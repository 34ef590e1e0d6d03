//go:build !linux

package engine

import (
	"time"

	"github.com/probity-run/probity/probe"
)

// poller only sleeps: without epoll all attempts take the path of one goroutine each.
type poller struct {
	woken chan struct{}
}

// conn is what the fast path would be.
type conn struct{}

func (*conn) abandon() {}

func (*conn) complete(*probe.Result) {}

func newPoller(bool) (*poller, error) {
	return &poller{woken: make(chan struct{}, 1)}, nil
}

func (*poller) close()                      {}
func (*poller) target(probe.Prober) *target { return nil }
func (*poller) start(*attempt) bool         { return false }
func (*poller) dispatch()                   {}

// wake ends a wait, or the next one.
func (p *poller) wake() {
	select {
	case p.woken <- struct{}{}:
	default:
	}
}

// wait returns after a call of wake, or when the time is over; a negative one never is.
func (p *poller) wait(timeout time.Duration) {
	if timeout < 0 {
		<-p.woken
		return
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.woken:
	case <-timer.C:
	}
}
