package health

import (
	"context"
	"testing"
	"time"
)

func TestEndedBySignal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if cancel(); endedBySignal(ctx) {
		t.Error("a context that was cancelled was ended by a signal")
	}
	ctx, cancel = context.WithTimeout(t.Context(), 0)
	if cancel(); endedBySignal(ctx) {
		t.Error("a context whose time is over was ended by a signal")
	}
}

// Nobody has to be told outside of a cluster; explicit delays hold anywhere.
func TestShutdownDelay(t *testing.T) {
	for _, c := range []struct {
		given            time.Duration
		cluster, outside time.Duration
	}{{0, 5 * time.Second, 0}, {time.Second, time.Second, time.Second}, {-1, 0, 0}} {
		for in, want := range map[bool]time.Duration{true: c.cluster, false: c.outside} {
			o, err := Options{ShutdownDelay: c.given}.settings(in)
			if err != nil || o.ShutdownDelay != want {
				t.Errorf("ShutdownDelay %v, in a cluster %t: %v, %v, want %v", c.given, in, o.ShutdownDelay, err, want)
			}
		}
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	if !inCluster() {
		t.Error("a container of a cluster does not know it")
	}
}
