//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// targetPorts is what the server of the targets prints first.
type targetPorts struct{ HTTP, GRPC int }

// arrivals is what arrived at the targets between a "reset" and a "report".
type arrivals struct {
	Requests int
	Missed   int // targets that saw no request
	// quantiles of how far the time between two requests at one target is off the period
	P50, P99 time.Duration
	Max      time.Duration
	OnTime   float64 // share of those times that are off by at most a tenth of the period
}

// serveTargets serves every address 127.10.x.y on one port: each is a target. It reads commands,
// one a line: "reset" forgets all arrivals; "report", with the number of targets and the period, is
// answered with them in JSON.
func serveTargets(commands io.Reader, answers io.Writer) error {
	web, err := newHTTPTargets()
	if err != nil {
		return err
	}
	calls, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	go server.Serve(calls) // ends with the process, like all here
	runtime.GOMAXPROCS(2)  // one of the two is for the thread that waits in epoll
	var f targets
	f.reset()
	go web.serve(&f)
	encoder := json.NewEncoder(answers)
	if err := encoder.Encode(targetPorts{web.port, calls.Addr().(*net.TCPAddr).Port}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(commands); lines.Scan(); {
		var n int
		var period time.Duration
		if _, err := fmt.Sscanf(lines.Text(), "report %d %d", &n, &period); err == nil {
			if err := encoder.Encode(f.report(n, period)); err != nil {
				return err
			}
			continue
		}
		f.reset()
	}
	return nil
}

// targets counts what arrives where.
type targets struct {
	mu    sync.Mutex // guards seen
	seen  map[uint16][]time.Duration
	begin time.Time
}

func (f *targets) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen, f.begin = make(map[uint16][]time.Duration), time.Now()
}

// arrived notes a request at 127.10.x.y.
func (f *targets) arrived(x, y byte) {
	id := uint16(x)<<8 | uint16(y)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[id] = append(f.seen[id], time.Since(f.begin))
}

func (f *targets) report(n int, period time.Duration) arrivals {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := arrivals{Missed: n - len(f.seen)}
	var off []time.Duration
	for _, times := range f.seen {
		a.Requests += len(times)
		for i := range len(times) - 1 {
			off = append(off, (times[i+1] - times[i] - period).Abs())
		}
	}
	slices.Sort(off)
	a.P50, a.P99, a.Max = quantile(off, 0.5), quantile(off, 0.99), quantile(off, 1)
	punctual, _ := slices.BinarySearch(off, period/10)
	a.OnTime = float64(punctual) / float64(max(1, len(off)))
	return a
}

// quantile returns the value that the share q of sorted values does not exceed; 0 if there are
// none.
func quantile[T any](sorted []T, q float64) (value T) {
	if len(sorted) == 0 {
		return value
	}
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}
