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

// ports is what the farm says first.
type ports struct{ HTTP, GRPC int }

// arrivals is what the farm saw between a "reset" and a "report".
type arrivals struct {
	Requests int
	Missed   int // targets that saw no request
	// of the difference between a target's gap between requests and the period
	P50, P99 time.Duration
	Max      time.Duration
	OnTime   float64 // share of the gaps that are at most a tenth of a period off
}

// farm serves every address 127.10.x.y on one port: each is a target. It obeys lines on commands:
// "reset" forgets all arrivals, "report" answers with them in JSON, given the number of targets and
// the period.
func farm(commands io.Reader, answers io.Writer) error {
	web, err := newWebFarm()
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
	runtime.GOMAXPROCS(2)  // one for the thread that waits in epoll
	var f targets
	f.reset()
	go web.serve(&f)
	encoder := json.NewEncoder(answers)
	if err := encoder.Encode(ports{web.port, calls.Addr().(*net.TCPAddr).Port}); err != nil {
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

// quantile returns the q-th part of sorted values; 0 if there are none.
func quantile[T any](sorted []T, q float64) (value T) {
	if len(sorted) == 0 {
		return value
	}
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}
