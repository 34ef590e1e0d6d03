package measure

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/tune"
	"github.com/probity-run/probity/probe"
)

// proberFunc answers as a function does.
type proberFunc func(ctx context.Context) probe.Result

func (f proberFunc) Probe(ctx context.Context) probe.Result { return f(ctx) }

// TestSampleSeesStalls: what stands still for a time is seen as that, whatever waits meanwhile.
func TestSampleSeesStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		from, to := begin.Add(4020*time.Millisecond), begin.Add(6500*time.Millisecond)
		service := proberFunc(func(context.Context) probe.Result {
			if now := time.Now(); now.After(from) && now.Before(to) {
				time.Sleep(to.Sub(now))
			}
			time.Sleep(3 * time.Millisecond)
			return probe.Result{Outcome: probe.Success}
		})
		w := tune.NewWindow("", 10, 0.05, sample(t.Context(), service, 50*time.Millisecond, 10*time.Second))
		if w.Samples != 200 || w.Tainted != 0 || len(w.Stalls) != 1 {
			t.Fatalf("%d samples, %d tainted, stalls %+v; want 200, 0, one", w.Samples, w.Tainted, w.Stalls)
		}
		if s := w.Stalls[0]; s.Length < 2.48 || s.Length > 2.54 || s.Begin < 3.95 || s.Begin > 4.02 {
			t.Errorf("a stall of %v s from %v s on, want 2.48 and an interval at most, from 4.02", s.Length, s.Begin)
		}
	})
}

// TestSampleEnds: samples that nobody answers end with the context, and are not counted.
func TestSampleEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		silent := proberFunc(func(ctx context.Context) probe.Result {
			<-ctx.Done()
			return probe.Result{Outcome: probe.Failure}
		})
		begin := time.Now()
		if list := sample(ctx, silent, 50*time.Millisecond, time.Minute); len(list) != 0 || time.Since(begin) != 5*time.Second {
			t.Errorf("%d samples after %v, want none after 5s", len(list), time.Since(begin))
		}
	})
}

func TestUntilGood(t *testing.T) {
	for name, c := range map[string]struct {
		up, answer time.Duration
		drops      bool // attempts that begin before it is up are never answered
		patience   time.Duration
		want       time.Duration
	}{
		"quick":                        {1500 * time.Millisecond, 0, false, time.Second, 1500 * time.Millisecond},
		"as slow as the probe says":    {0, 3 * time.Second, false, 4 * time.Second, 3 * time.Second},
		"slower than the probe says":   {0, 3 * time.Second, false, time.Second, 3 * time.Second},
		"slow, after it came up":       {2 * time.Second, 3 * time.Second, true, time.Second, 5 * time.Second},
		"drops attempts, and is quick": {2500 * time.Millisecond, 0, true, time.Second, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				service := proberFunc(func(ctx context.Context) probe.Result {
					if c.drops && time.Since(begin) < c.up {
						<-ctx.Done()
					}
					select {
					case <-ctx.Done():
						return probe.Result{Outcome: probe.Failure}
					case <-time.After(c.answer):
					}
					if time.Since(begin) < c.up {
						return probe.Result{Outcome: probe.Failure}
					}
					return probe.Result{Outcome: probe.Success}
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				good, err := untilGood(ctx, service, c.patience)
				if took := good.Sub(begin); err != nil || took < c.want || took > c.want+startInterval {
					t.Errorf("good after %v (%v), want %v", took, err, c.want)
				}
			})
		})
	}
}

// TestPatience: the next attempt of a start waits as long as the most patient of the endpoint's
// probes waits for an answer.
func TestPatience(t *testing.T) {
	probeOf := func(path string, timeout int32) *corev1.Probe {
		return &corev1.Probe{TimeoutSeconds: timeout, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path}}}
	}
	exec := probeOf("", 5)
	exec.ProbeHandler = corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"test"}}}
	if e := endpointsOf(&corev1.Container{LivenessProbe: exec})[0]; e.patience() != 14*time.Second {
		t.Errorf("another process is started after %v, want 14 s", e.patience())
	}
	list := endpointsOf(&corev1.Container{StartupProbe: probeOf("/livez", 2), ReadinessProbe: probeOf("/readyz", 0), LivenessProbe: probeOf("/livez", 5)})
	if len(list) != 2 || list[0].patience() != 5*time.Second || list[1].patience() != time.Second {
		t.Errorf("endpoints %+v, want one of 5s and one of 1s", list)
	}
}

// TestFewProcesses: while a container starts, few exec probes that hang run beside it.
func TestFewProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const up = 45 * time.Second
		begin := time.Now()
		var now, most atomic.Int32
		command := proberFunc(func(ctx context.Context) probe.Result {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			select {
			case <-ctx.Done():
			case <-time.After(giveUp):
			case <-time.After(time.Until(begin.Add(up))):
				return probe.Result{Outcome: probe.Success}
			}
			return probe.Result{Outcome: probe.Failure}
		})
		e := &endpoint{handler: corev1.ProbeHandler{Exec: &corev1.ExecAction{}}, timeout: time.Second}
		good, err := untilGood(t.Context(), command, e.patience())
		if took := good.Sub(begin); err != nil || took != up || most.Load() > 3 {
			t.Errorf("good after %v (%v), with %d at a time; want %v, three at most", took, err, most.Load(), up)
		}
	})
}
