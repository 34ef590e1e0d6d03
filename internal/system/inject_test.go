package system

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/test/ports"
)

// TestInject: a container is stopped and goes on; the errors say what could not be done to whom.
func TestInject(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	port := ports.Free(t)
	path := webOf(t, port, self, "")
	s := started(t, t.Context(), Options{Manifests: []string{path}, Faults: true, Environ: append(os.Environ(), asServer+"=127.0.0.1:$PORT")})
	eventually(t, "an answer", func() bool { return strings.HasPrefix(answerOf(addressOf(s, port)), "200 from ") })
	pid := runs(t, s, "web").Annotations[node.AnnotationPID+"app"]
	stopped := func() bool {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		return err == nil && strings.Contains(string(stat), ") T ")
	}
	undo, err := s.Inject("default", "web", "app", process.Fault{Kind: process.FaultStop})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is stopped", stopped)
	if _, err := s.Inject("default", "web", "app", process.Fault{Kind: process.FaultThrottle, Share: 0.5}); err == nil || !strings.Contains(err.Error(), `cannot do the fault "throttle" to container app of pod web: the process has a fault of that sort already`) {
		t.Errorf("a second fault: %v", err)
	}
	if err := undo(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it goes on", func() bool { return !stopped() })
	if _, err := s.Inject("default", "none", "app", process.Fault{Kind: process.FaultStop}); err == nil || !strings.Contains(err.Error(), `cannot do the fault "stop" to container app of pod none: `) {
		t.Errorf("of no Pod: %v", err)
	}
	_, err = s.Deadlock(t.Context(), "default", "web", "app", time.Minute)
	if want := "cannot make container app of pod web hang by itself: nothing says how"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Deadlock: %v, want %s", err, want)
	}
}
