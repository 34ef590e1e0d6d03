package health

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The listener for probes answers from the beginning of Run to its end, the delay included.
func TestAddr(t *testing.T) {
	addr := freeAddr(t)
	h := New(Options{Addr: addr, ShutdownDelay: -1})
	h.Ready("database", fine)
	release := make(chan struct{})
	h.Drain("work", func(context.Context) error { <-release; return nil })
	end := begin(t, h)
	waitFor(t, func() bool { return get(addr, "/readyz") == 200 })
	response, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || !strings.Contains(string(body), `health_check_ok{name="database",type="readyz",kind="owned"} 1`) {
		t.Errorf("metrics: %v\n%s", err, body)
	}
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	waitFor(t, func() bool { return get(addr, "/readyz") == 503 })
	if got := get(addr, "/livez"); got != 200 {
		t.Errorf("/livez answers %d while work is drained", got)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := get(addr, "/livez"); got != 0 {
		t.Errorf("/livez answers %d after Run", got)
	}
}

func TestHeartbeatFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "heartbeat")
	h := New(Options{HeartbeatFile: path, ShutdownDelay: -1})
	var down atomic.Bool
	database := h.Ready("database", func(context.Context) error {
		if down.Load() {
			return errDown
		}
		return nil
	}, CheckOptions{Period: 10 * time.Millisecond})
	loop := h.Live("loop", 200*time.Millisecond)
	loop.Idle()
	if err := ProbeFile(path, Liveness, time.Minute); err == nil {
		t.Error("it is live before it runs")
	}
	end := begin(t, h)
	succeeds := func(p Probe) func() bool { return func() bool { return ProbeFile(path, p, time.Minute) == nil } }
	waitFor(t, succeeds(Readiness))
	waitFor(t, succeeds(Startup))
	waitFor(t, succeeds(Liveness))
	down.Store(true)
	database.Report(errDown)
	waitFor(t, func() bool {
		err := ProbeFile(path, Readiness, time.Minute)
		return err != nil && err.Error() == "readiness: failed"
	})
	loop.Beat() // and then never again
	waitFor(t, func() bool { return !succeeds(Liveness)() })
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a service that is not live has a heartbeat: %v", err)
	}
	loop.Idle()
	waitFor(t, succeeds(Liveness))
	if err := end(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
		t.Errorf("left after Run: %v, %v", left, err)
	}
}

func TestHeartbeatFileThatCannotBe(t *testing.T) {
	err := New(Options{HeartbeatFile: filepath.Join(t.TempDir(), "no", "heartbeat")}).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "cannot write the heartbeat file, choose a folder") {
		t.Errorf("Run returned %v", err)
	}
}

func TestProbeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "heartbeat")
	if err := os.WriteFile(path, []byte("startup ok\nreadiness failed\nliveness\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		age   time.Duration
		probe Probe
		want  string // part of the error; empty: none
	}{
		{0, Startup, ""}, {0, Readiness, "readiness: failed"}, {0, Liveness, "says nothing of"}, {0, "other", "says nothing of"},
		{11 * time.Second, Startup, "more than 10s"}, {-time.Minute, Startup, "in the future"},
	} {
		when := time.Now().Add(-c.age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
		err := ProbeFile(path, c.probe, 10*time.Second)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v old, %s: %v, want %q", c.age, c.probe, err, c.want)
		}
	}
}
