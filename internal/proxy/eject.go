package proxy

import (
	"net"
	"slices"
	"time"
)

// A replica that refused a connection is tried again after firstReturn, then after twice the time and so on, up to lastReturn.
const (
	firstReturn = 100 * time.Millisecond
	lastReturn  = 2 * time.Second
)

// eject takes a replica out of rotation, because it refused a connection in this life of its Pod, and has it tried again.
func (o *port) eject(r *replica, l *life) {
	if r.ejected.Swap(l) == l {
		return
	}
	r.ejections.Add(1)
	o.proxy.running.Go(func() { o.bringBack(r, l) })
}

// bringBack returns when the replica accepted a connection, or when that no longer matters.
func (o *port) bringBack(r *replica, l *life) {
	delay := firstReturn
	timer := time.NewTimer(delay)
	defer timer.Stop()
	dialer := net.Dialer{Timeout: dialTimeout}
	for {
		select {
		case <-timer.C:
		case <-o.stopping:
			return
		}
		if r.retired.Load() || r.ejected.Load() != l || r.pod.life.Load() != l {
			return
		}
		if conn, err := dialer.DialContext(o.cutting, "tcp", r.address); err == nil {
			reset(conn.(*net.TCPConn))
			r.ejected.CompareAndSwap(l, nil)
			o.changes.fire()
			return
		}
		delay = min(2*delay, lastReturn)
		timer.Reset(delay)
	}
}

// retire marks the replicas that the next table has no more, and brings those back that become ready: a probe found that they answer.
func retire(before, after *table) {
	for _, list := range [][]*replica{before.ready, before.terminating} {
		for _, r := range list {
			r.retired.Store(!slices.Contains(after.ready, r) && !slices.Contains(after.terminating, r))
		}
	}
	for _, r := range after.ready {
		if !slices.Contains(before.ready, r) {
			r.ejected.Store(nil)
		}
	}
}
