package simulate

import (
	"testing"
	"time"

	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// BenchmarkHour simulates an hour of one Pod. The bar is 10 ms.
func BenchmarkHour(b *testing.B) {
	objects := simulatetest.Objects(b, simulatetest.DefaultProbes)
	for name, faults := range map[string][]string{"quiet": nil, "stalls": {"gc-stall=8s/10m"}, "hanging": {"slow-start=20s", "hang@10m+45m/readiness"}} {
		sc := simulatetest.Script(b, faults...)
		for _, every := range []struct {
			name   string
			noSkip bool
		}{{"", false}, {"/every-probe", true}} {
			b.Run(name+every.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := Run(objects, sc, Options{Horizon: time.Hour, noSkip: every.noSkip}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkSweep simulates an hour of one Pod at every phase. The bar is 1 s.
func BenchmarkSweep(b *testing.B) {
	objects := simulatetest.Objects(b, simulatetest.DefaultProbes)
	for name, faults := range map[string][]string{"calm": nil, "hang": {"hang@10m"}, "stalls": {"gc-stall=8s/10m"}, "loop": {"slow-start=20010ms", "crash-loop=50s"}} {
		b.Run(name, func(b *testing.B) {
			sc, phases := simulatetest.Script(b, faults...), 0
			for b.Loop() {
				a, err := Sweep(objects, sc, Options{Horizon: time.Hour})
				if err != nil {
					b.Fatal(err)
				}
				phases = a.Phases
			}
			b.ReportMetric(float64(phases), "phases")
		})
	}
}

// BenchmarkMonths simulates 1,000 Pods of 30 days each with stalls as of a garbage collector. The
// bar is 30 s on two cores.
func BenchmarkMonths(b *testing.B) {
	objects := simulatetest.Objects(b, simulatetest.DefaultProbes)
	for _, fault := range []string{"gc-stall=8s/1h", "hang@60s"} {
		b.Run(fault, func(b *testing.B) {
			for b.Loop() {
				if _, err := RunMany(objects, simulatetest.Script(b, fault), ManyOptions{Runs: 1000}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFleet is a simulation of 300 replicas and its sweep over the phases. The bar is two
// seconds.
func BenchmarkFleet(b *testing.B) {
	objects := simulatetest.Objects(b, simulatetest.Deployment)
	for _, fault := range []string{"hang@60s", "rollout@60s", "gc-stall=8s/1m"} {
		sc := simulatetest.Script(b, fault)
		b.Run(fault, func(b *testing.B) {
			for b.Loop() {
				opts := Options{Replicas: 300, NoTimeline: true}
				if _, err := Run(objects, sc, opts); err != nil {
					b.Fatal(err)
				}
				if _, err := Sweep(objects, sc, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
