package proxy

import (
	"errors"
	"fmt"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// A replica that refused a connection is tried again after firstReturn, then after twice the time
// and so on, up to lastReturn.
const (
	firstReturn = 100 * time.Millisecond
	lastReturn  = 2 * time.Second
)

// eject takes a replica out of rotation, because it refused a connection in this life of its Pod,
// and has it tried again. No Event yet: most of those that refuse have just ended, and that has
// Events of its own.
func (o *port) eject(e *endpoint, inst *instance) {
	if e.ejectedIn.Swap(inst) == inst {
		return
	}
	e.ejections.Add(1)
	o.proxy.running.Go(func() { o.bringBack(e, inst) })
}

// bringBack returns when the replica accepted a connection, or when that no longer matters.
func (o *port) bringBack(e *endpoint, inst *instance) {
	delay, told := firstReturn, false
	timer := time.NewTimer(delay)
	defer timer.Stop()
	dialer := net.Dialer{Timeout: dialTimeout}
	for {
		select {
		case <-timer.C:
		case <-o.stopping:
			return
		}
		if e.removed.Load() || e.ejectedIn.Load() != inst || e.pod.instance.Load() != inst {
			return
		}
		conn, err := dialer.DialContext(o.cutting, "tcp", e.address)
		if err == nil {
			reset(conn.(*net.TCPConn))
			e.ejectedIn.CompareAndSwap(inst, nil)
			o.changes.fire()
			if told {
				o.aboutRotation(e, corev1.EventTypeNormal, "InRotation", "accepts connections again and is back in rotation")
			}
			return
		}
		if !told && o.cutting.Err() == nil && !inst.inFlight.hasAny(flagClosed) {
			told = true
			o.aboutRotation(e, corev1.EventTypeWarning, "OutOfRotation", "is out of rotation until it accepts a connection, whatever its probes say: "+cause(err).Error())
		}
		delay = min(2*delay, lastReturn)
		timer.Reset(delay)
	}
}

// cause is an error of a connection without the address.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// aboutRotation records an Event on the Pod of a replica, or on the Service if somebody else made
// the endpoint.
func (o *port) aboutRotation(e *endpoint, kind, reason, message string) {
	about := o.service
	if e.uid != "" {
		about = podReference(e.name, e.uid)
	}
	o.proxy.record(about, kind, reason, fmt.Sprintf("%s, behind port %d of Service %s, %s", e.address, o.key.number, o.key.service.Name, message))
}
