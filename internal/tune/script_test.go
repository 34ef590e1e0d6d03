package tune

import (
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/simulate/script"
)

// What a series becomes as a script, simulate reads, with each stall that a probe can notice.
func TestScript(t *testing.T) {
	s := example()
	s.Containers[0].Workload = "shop/deployment/web" // which a script calls deployment/web
	s.Containers[0].Endpoints[0].Windows[1].Stalls[1].Length = 3
	s.Containers[0].Endpoints[0].Windows[1].Slow = nil
	text, horizon := s.Script()
	read, err := script.Decode("script", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(read.Faults) != 2 || read.Faults[0].Kind != script.FaultHang || read.Faults[1].Kind != script.FaultStatus {
		t.Fatalf("faults %+v of\n%s", read.Faults, text)
	}
	// behind the longest start, a second, and the first window
	if at := read.Faults[0].At.A; at != 133500*time.Millisecond || read.Faults[0].For.A != 2100*time.Millisecond {
		t.Errorf("the first at %v for %v", at, read.Faults[0].For.A)
	}
	if p := read.Programs["deployment/web:server"]; p.Startup.A != 2500*time.Millisecond || horizon != 1263 {
		t.Errorf("start-up %v, horizon %d s", p.Startup.A, horizon)
	}
	empty, _ := (&Series{}).Script()
	if _, err := script.Decode("script", []byte(empty)); err != nil || !strings.Contains(empty, "faults: []") {
		t.Errorf("of nothing (%v):\n%s", err, empty)
	}
}
