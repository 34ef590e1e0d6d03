package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// SelfCheck is one registered check of this process by itself. Its methods do nothing on a nil
// SelfCheck.
type SelfCheck struct{ beat *Heartbeat }

// Remove takes the check out: it counts no longer, and its name is free. An attempt that is under
// way, at a lock that nobody gives back for example, is not cut short.
func (c *SelfCheck) Remove() {
	if c != nil {
		c.beat.Stop()
	}
}

// LiveLock registers a lock that everything depends on: a goroutine locks and unlocks it again and
// again, and /livez fails if that has not succeeded for longer than limit. Of a sync.RWMutex pass
// the RLocker, because a writer that waits would block readers.
func (h *Health) LiveLock(name string, lock sync.Locker, limit time.Duration) *SelfCheck {
	var missing error
	switch lock {
	case nil, (*sync.Mutex)(nil), (*sync.RWMutex)(nil):
		missing = errors.New("it has no lock")
	}
	return h.selfCheck(name, limit, func(context.Context) error {
		lock.Lock()
		defer lock.Unlock()
		return nil
	}, missing)
}

// LiveScheduler makes /livez fail if for longer than limit every timer of this process, set to a
// tenth of limit, took twice its time or more: then the process gets too little CPU, or all of its
// threads are blocked. Choose a limit of many seconds: a restart costs CPU too.
func (h *Health) LiveScheduler(limit time.Duration) *SelfCheck {
	return h.selfCheck("scheduler", limit, func(ctx context.Context) error {
		start := time.Now()
		sleep(ctx, limit/10)
		return punctual(limit/10, time.Since(start))
	}, nil)
}

// punctual returns an error if a timer took twice its time or more.
func punctual(d, took time.Duration) error {
	if took >= 2*d {
		return fmt.Errorf("a timer of %v took %v", short(d), short(took))
	}
	return nil
}

// LiveListener registers a listener of this process, at an address such as ":8080" or
// "127.0.0.1:8080": a goroutine sends it requests over loopback, and /livez fails if for
// longer than limit none was answered and no connection was closed by the listener. So a port for
// probes alone does not succeed while the main port hangs. Any answer will do, a protocol error
// too: it shows that the listener still accepts and serves. The request is OPTIONS *, which a
// server of net/http answers itself: no handler, and so no access log, sees it.
func (h *Health) LiveListener(name, addr string, limit time.Duration) *SelfCheck {
	target, err := loopback(addr)
	return h.selfCheck(name, limit, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return checkListener(ctx, target)
	}, err)
}

// loopback returns the address at which a listener of this machine can be reached over loopback.
func loopback(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("its address has to be like \":8080\" or \"127.0.0.1:8080\": %w", err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("its port is %q, it has to be a number from 1 to 65535", port)
	}
	ip := net.ParseIP(host)
	switch {
	case host == "" || host == "localhost" || ip.Equal(net.IPv4zero):
		return net.JoinHostPort("127.0.0.1", port), nil
	case ip.Equal(net.IPv6unspecified):
		return net.JoinHostPort("::1", port), nil
	case ip != nil && ip.IsLoopback():
		return addr, nil
	}
	return "", fmt.Errorf("its host is %q, it has to be one that loopback reaches: empty, 0.0.0.0, [::], localhost, 127.0.0.1 or [::1]", host)
}

// checkListener returns nil if the listener at the address answers or closes the connection. If its
// program accepts no connections, neither happens, although the kernel completes them.
func checkListener(ctx context.Context, addr string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })() // ends Read below
	defer conn.Close()
	request := "OPTIONS * HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: health-self-probe\r\nConnection: close\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		return ctx.Err() // nil if it closed the connection
	}
	_, _ = conn.Read(make([]byte, 1)) // returns for any answer, at the end of the connection, or when ctx ends
	if ctx.Err() != nil {
		return fmt.Errorf("nobody answered: %w", ctx.Err())
	}
	return nil
}

// selfCheck registers a heartbeat that beats each time try succeeds. It is nil after misuse.
func (h *Health) selfCheck(name string, limit time.Duration, try func(context.Context) error, problems ...error) *SelfCheck {
	l := newHeartbeat(name, limit)
	if !h.register(name, func(r *registry, now time.Time) { r.addHeartbeat(l, now) }, append(problems, positive("the limit", limit))...) {
		return nil
	}
	beat := &Heartbeat{h, l}
	h.launch(goroutine{name, func(ctx context.Context) {
		panics := false
		for ctx.Err() == nil && !l.stopped.Load() {
			err := call(func() error { return try(ctx) })
			if !panics {
				h.run.log.panicked("Check panics", name, err)
			}
			panics = stackOf(err) != ""
			l.why.Store(&err)
			if err == nil {
				beat.Beat()
			}
			sleep(ctx, limit/10)
		}
	}})
	return &SelfCheck{beat}
}

// sleep returns after d, or when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
