package main

import (
	"context"
	"net"
	"runtime"
	"time"
)

// leak takes so many MiB more of memory each second.
func leak(rate int) {
	var kept [][]byte
	for range rate * int(time.Hour/time.Second) { // none if rate is 0
		time.Sleep(time.Second / time.Duration(rate))
		piece := make([]byte, 1<<20)
		for i := 0; i < len(piece); i += 4096 {
			piece[i] = 1
		}
		kept = append(kept, piece)
	}
	runtime.KeepAlive(kept)
}

// askNames asks the name server for a name once a second.
func (o options) askNames() {
	for ; o.ask != ""; time.Sleep(time.Second) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_, _ = o.dialer().Resolver.LookupNetIP(ctx, "ip", o.ask) // that it asks is all
		cancel()
	}
}

// connectLate connects to another program once a second, from some time after the start on.
func connectLate(after time.Duration, address string) {
	if after == 0 {
		return
	}
	for time.Sleep(after); ; time.Sleep(time.Second) {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
		}
	}
}
