package process

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"
)

// BenchmarkFaultStop is how long it takes until a tree has stopped: from the request to the answer,
// for a process alone and for one with fifty children.
func BenchmarkFaultStop(b *testing.B) {
	for name, script := range map[string]string{"alone": "exec sleep 1000", "fifty children": unruly[1].script} {
		b.Run(name, func(b *testing.B) {
			s, p := benchmarked(b, Spec{Argv: []string{"sh", "-c", script}, Env: os.Environ()})
			defer s.Close()
			time.Sleep(200 * time.Millisecond) // it forks
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				undo, err := p.(Faulty).Inject(Fault{Kind: FaultStop})
				if err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
				if err := undo(); err != nil {
					b.Fatal(err)
				}
			}
			reportQuantiles(b, took)
		})
	}
}

// BenchmarkFaultThrottle is how long a server takes for an answer that computes for a millisecond,
// on a new connection, and what share of a processor it used.
func BenchmarkFaultThrottle(b *testing.B) {
	for _, share := range []float64{1, 0.2, 0.05} {
		b.Run(fmt.Sprint(share*100, "%"), func(b *testing.B) {
			r, w, err := os.Pipe()
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			s, p := benchmarked(b, Spec{Argv: []string{"/proc/self/exe"}, Env: append(os.Environ(), roleVariable+"=compute"), Stdout: w})
			defer s.Close()
			w.Close()
			line := bufio.NewScanner(r)
			line.Scan()
			if share < 1 {
				if _, err := p.(Faulty).Inject(Fault{Kind: FaultThrottle, Share: share}); err != nil {
					b.Fatal(err)
				}
			}
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			var took []time.Duration
			before, _ := processorTime(p.PID())
			start := time.Now()
			for b.Loop() {
				began := time.Now()
				answer, err := client.Get("http://" + line.Text())
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				took = append(took, time.Since(began))
			}
			after, _ := processorTime(p.PID())
			b.ReportMetric(100*float64(after-before)/float64(time.Since(start)), "%used")
			reportQuantiles(b, took)
		})
	}
}

// playCompute is a server whose answers take a millisecond of a processor.
func playCompute() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return http.Serve(listener, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		before, _ := processorTime(os.Getpid())
		for after := before; after-before < time.Millisecond; {
			after, _ = processorTime(os.Getpid())
		}
	}))
}

func benchmarked(b *testing.B, spec Spec) (*Shepherd, Process) {
	b.Helper()
	s, err := NewShepherd(ShepherdOptions{})
	if err != nil {
		b.Fatal(err)
	}
	p, err := s.Start(spec)
	if err != nil {
		b.Fatal(err)
	}
	return s, p
}

func reportQuantiles(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	at := func(share float64) float64 { return took[int(share*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.5), "ms-p50")
	b.ReportMetric(at(0.9), "ms-p90")
	b.ReportMetric(at(0.99), "ms-p99")
}
