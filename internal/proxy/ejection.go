package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// An endpoint that refused a connection is dialed again after firstRedial, then after twice the
// time and so on, up to maxRedial.
const (
	firstRedial = 100 * time.Millisecond
	maxRedial   = 2 * time.Second
)

// eject takes an endpoint out of rotation, because this instance of its Pod refused a connection,
// and begins to redial it. (Envoy calls this outlier ejection.) There is no Event yet: most
// processes that refuse have just ended, and the node has Events for that.
func (sp *servicePort) eject(e *endpoint, inst *instance) {
	if e.ejectedIn.Swap(inst) == inst {
		return
	}
	e.ejections.Add(1)
	sp.proxy.running.Go(func() { sp.redial(e, inst) })
}

// redial dials an ejected endpoint until it accepts a connection, which brings it back into
// rotation, or until that no longer matters.
func (sp *servicePort) redial(e *endpoint, inst *instance) {
	delay, recorded := firstRedial, false
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-sp.stopping:
			return
		}
		if e.removed.Load() || e.ejectedIn.Load() != inst || e.pod.instance.Load() != inst {
			return
		}
		err := sp.checkListener(sp.ctx, e, inst)
		if err == nil {
			err = acceptsConnection(sp.ctx, e.dialAddress())
		}
		if err == nil {
			e.ejectedIn.CompareAndSwap(inst, nil)
			sp.changes.fire()
			if recorded {
				sp.recordRotation(e, corev1.EventTypeNormal, "InRotation", "accepts connections again and is back in rotation")
			}
			return
		}
		if !recorded && sp.ctx.Err() == nil && !inst.inFlight.hasAny(flagClosed) {
			recorded = true
			sp.recordRotation(e, corev1.EventTypeWarning, "OutOfRotation", "is out of rotation until it accepts a connection, whatever its probes say: "+cause(err).Error())
		}
		delay = min(2*delay, maxRedial)
		timer.Reset(delay)
	}
}

// acceptsConnection dials an address and sends nothing.
func acceptsConnection(ctx context.Context, address string) error {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		reset(conn.(*net.TCPConn))
	}
	return err
}

// cause is the error of a dial without the address, which the message has already.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// recordRotation records an Event about the rotation: on the Pod of the endpoint, or on the Service
// if the endpoint is no Pod.
func (sp *servicePort) recordRotation(e *endpoint, eventType, reason, message string) {
	about := sp.service
	if e.uid != "" {
		about = podReference(e.name, e.uid)
	}
	sp.proxy.record(about, eventType, reason, fmt.Sprintf("%s, behind port %d of Service %s, %s", e.address, sp.key.number, sp.key.service.Name, message))
}
