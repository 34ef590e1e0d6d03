package health

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		task := h.Startup("weights")
		task.Progress(1, 4)
		h.Ready(`data"base`, fine)
		h.Depends("billing", func(context.Context) error { return errDown })
		h.Live("loop", time.Minute)
		begin(t, h)
		after(time.Second)
		task.Done()
		_, _ = ask(h, "/readyz")
		_, _ = ask(h, "/readyz?verbose")
		want := `# TYPE health_probe_ok gauge
health_probe_ok{type="startupz"} 1
health_probe_ok{type="readyz"} 1
health_probe_ok{type="livez"} 1
# TYPE health_probes_total counter
health_probes_total{type="startupz",status="success"} 0
health_probes_total{type="startupz",status="error"} 0
health_probes_total{type="readyz",status="success"} 2
health_probes_total{type="readyz",status="error"} 0
health_probes_total{type="livez",status="success"} 0
health_probes_total{type="livez",status="error"} 0
# TYPE health_check_ok gauge
health_check_ok{name="weights",type="startupz",kind="task"} 1
health_check_ok{name="data\"base",type="readyz",kind="owned"} 1
health_check_ok{name="billing",type="readyz",kind="dependency"} 0
health_check_ok{name="loop",type="livez",kind="heartbeat"} 1
# TYPE health_check_age_seconds gauge
health_check_age_seconds{name="weights",type="startupz"} 1
health_check_age_seconds{name="data\"base",type="readyz"} 1
health_check_age_seconds{name="billing",type="readyz"} 1
health_check_age_seconds{name="loop",type="livez"} 0
# TYPE health_startup_progress gauge
health_startup_progress{name="weights"} 1
# TYPE health_checks_total counter
health_checks_total{name="data\"base",type="readyz",status="success"} 1
health_checks_total{name="data\"base",type="readyz",status="error"} 0
health_checks_total{name="billing",type="readyz",status="success"} 0
health_checks_total{name="billing",type="readyz",status="error"} 1
# TYPE health_check_duration_seconds gauge
health_check_duration_seconds{name="data\"base",type="readyz"} 0
health_check_duration_seconds{name="billing",type="readyz"} 0
`
		if got := h.exposition(); got != want {
			t.Errorf("metrics are\n%s\nwant\n%s", got, want)
		}
	})
}

func TestChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		task := h.Startup("weights")
		begin(t, h)
		after(time.Second)
		changed := h.Changed()
		after(10 * time.Second)
		select {
		case <-changed:
			t.Error("told of a change when there was none")
		default:
		}
		task.Done()
		select {
		case <-changed:
		default:
			t.Error("not told of the end of the start")
		}
		if !h.OK(Startup) || !h.OK(Readiness) || !h.Report(Startup).OK {
			t.Error("it has not started")
		}
	})
}
