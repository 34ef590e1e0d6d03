package proxy

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// maxCheckTime bounds the question who listens at an address.
const maxCheckTime = 5 * time.Second

// checkListener makes sure that it is this instance of the endpoint's Pod that listens at its
// address, before anything is sent there: a Pod that is ready has not shown that, unless its
// readiness probe asks the same port, and any user of this machine may have taken the port first.
// What is known of an instance is not asked again. The error says who gets no request.
func (sp *servicePort) checkListener(ctx context.Context, e *endpoint, inst *instance) error {
	check := sp.proxy.opts.CheckListener
	if e.isFoundIn(inst) || check == nil || e.uid == "" {
		return nil
	}
	address, err := netip.ParseAddrPort(e.address)
	if err != nil {
		return err
	}
	e.checking.Lock()
	defer e.checking.Unlock()
	if e.isFoundIn(inst) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxCheckTime)
	defer cancel()
	at, err := check(ctx, e.uid, address)
	if err != nil {
		return fmt.Errorf("no request for Pod %s: %w", e.name.Name, err)
	}
	e.found.Store(&socket{inst, at.String()})
	return nil
}
