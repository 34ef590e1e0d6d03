//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/test/grpc/oracle"
)

func background() context.Context { return context.Background() }

// startKubelet probes like the kubelet does, as far as its cost is concerned: a goroutine with a
// Ticker for each probe, after a random delay; one http.Transport for all, without kept
// connections; a new http.Client and request for each attempt. It leaves out the kubelet's look-ups
// and metrics.
func (o proberOptions) startKubelet(t *resultCount) {
	attempt := o.kubeletAttempt()
	var probes sync.WaitGroup
	if o.Period == 0 {
		for i := range inFlight {
			probes.Go(func() {
				for {
					t.add(attempt(i))
				}
			})
		}
		return
	}
	for i := range o.Targets {
		probes.Go(func() {
			time.Sleep(rand.N(o.Period))
			for ticks := time.Tick(o.Period); ; <-ticks {
				t.add(attempt(i))
			}
		})
	}
}

// kubeletAttempt returns what makes one attempt at a target.
func (o proberOptions) kubeletAttempt() func(target int) probe.Result {
	switch o.What {
	case "tcp": // the handler does what the kubelet does
		return func(target int) probe.Result { return o.prober(target).Probe(background()) }
	case "grpc":
		call := oracle.GRPC{Host: "127.0.0.1", Port: o.Port, Timeout: time.Second}
		return func(int) probe.Result { return call.Probe(background()) }
	}
	dialer := &net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			_ = syscall.SetsockoptLinger(int(fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1, Linger: 1})
		})
	}}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true, DialContext: dialer.DialContext}
	return func(target int) probe.Result { return o.kubeletGet(transport, target) }
}

func (o proberOptions) kubeletGet(transport *http.Transport, target int) probe.Result {
	client := &http.Client{Timeout: time.Second, Transport: transport}
	req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://%s:%d/healthz", host(target), o.Port), nil)
	if err != nil {
		return probe.Result{Err: err}
	}
	req.Header.Set("User-Agent", probe.DefaultUserAgent)
	req.Header.Set("Accept", "*/*")
	res, err := client.Do(req)
	if err != nil {
		return probe.Result{Outcome: probe.Failure, Output: err.Error()}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 10<<10))
	if err != nil {
		return probe.Result{Outcome: probe.Failure, Err: err}
	}
	if res.StatusCode >= 400 {
		return probe.Result{Outcome: probe.Failure, Output: fmt.Sprintf("HTTP probe failed with statuscode: %d", res.StatusCode)}
	}
	return probe.Result{Outcome: probe.Success, Output: string(body)}
}
