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

// LiveLock registers a lock that everything depends on: a goroutine takes and releases it again and
// again, and /livez fails if that does not succeed for longer than limit. Pass the RLocker of a
// sync.RWMutex, because a writer that waits would hold up readers.
func (h *Health) LiveLock(name string, lock sync.Locker, limit time.Duration) {
	var missing error
	if lock == nil {
		missing = errors.New("it has no lock")
	}
	h.canary(name, limit, func(context.Context) error {
		lock.Lock()
		defer lock.Unlock()
		return nil
	}, missing)
}

// LiveScheduler fails /livez if for longer than limit no timer of this process was punctual to a
// tenth of that: it is starved of CPU, or its threads are all stuck. Choose a limit of many
// seconds: a restart costs CPU too.
func (h *Health) LiveScheduler(limit time.Duration) {
	h.canary("scheduler", limit, func(ctx context.Context) error {
		start := time.Now()
		pause(ctx, limit/10)
		return punctual(limit/10, time.Since(start))
	}, nil)
}

// punctual complains if a timer took twice its time or more.
func punctual(d, took time.Duration) error {
	if took >= 2*d {
		return fmt.Errorf("a timer of %v took %v", short(d), short(took))
	}
	return nil
}

// LiveListener registers a listener of this process, at an address such as ":8080" or
// "127.0.0.1:8080": a goroutine sends it a request for /livez over loopback, and /livez fails if
// for longer than limit nobody answered anything or hung up. So the probes' own port cannot be
// green over a dead main port. Any status will do, so will a protocol error: what matters is that
// somebody is there.
func (h *Health) LiveListener(name, addr string, limit time.Duration) {
	target, err := loopback(addr)
	h.canary(name, limit, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return knock(ctx, target)
	}, err)
}

// loopback returns the address at which a listener of this machine is reached without leaving it.
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

// knock returns nil if somebody at the address answers or hangs up. A listener that nobody accepts
// from does neither: the system completes its connections.
func knock(ctx context.Context, addr string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })() // ends the reading
	defer conn.Close()
	request := "GET /livez HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: health-self-probe\r\nConnection: close\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		return ctx.Err() // it hung up
	}
	_, _ = conn.Read(make([]byte, 1)) // whatever it says or does not: see below
	if ctx.Err() != nil {
		return fmt.Errorf("nobody answered: %w", ctx.Err())
	}
	return nil // an answer, or the end of the connection
}

// canary registers a heartbeat that beats each time try succeeds.
func (h *Health) canary(name string, limit time.Duration, try func(context.Context) error, problems ...error) {
	l := &loop{name: name, limit: limit, base: time.Now()}
	if !h.register(name, func(b *board) { b.loops = append(b.loops, l) }, append(problems, positive(limit))...) {
		return
	}
	beat := &Heartbeat{h, l}
	h.launch(member{name, func(ctx context.Context) {
		for ctx.Err() == nil {
			err := guard(func() error { return try(ctx) })
			l.why.Store(&err)
			if err == nil {
				beat.Beat()
			}
			pause(ctx, limit/10)
		}
	}})
}

// pause sleeps, but not after ctx has ended.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
