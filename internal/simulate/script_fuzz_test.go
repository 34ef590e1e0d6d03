package simulate

import (
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

func FuzzScript(f *testing.F) {
	_, example, _ := strings.Cut(script.Reference(), "Example:\n")
	f.Add(example)
	f.Add("faults: [{fault: hang, at: {normal: {mean: 1s, deviation: 3s}}}]")
	f.Add("a: &a [*a]")
	f.Add("faults: [{fault: throttle, at: 1s, share: 0.001}, {fault: fds}, {fault: dependency-slow, latency: 3s, ramp: 9s}]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := script.Decode("fuzz", []byte(text))
		if err != nil {
			return
		}
		if _, err := Run(simulatetest.Objects(t, simulatetest.DefaultProbes), s, Options{Horizon: 2 * time.Minute}); err != nil && !strings.Contains(err.Error(), "container") {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func FuzzReadyMadeFault(f *testing.F) {
	for _, r := range script.ReadyMadeFaults() {
		for text := range strings.SplitSeq(r.Syntax, ", ") {
			f.Add(text)
		}
	}
	f.Add("slow-start=2x:web,workload=web")
	f.Add("dependency-outage:db=slow:300ms@start+30s:web/liveness")
	f.Fuzz(func(t *testing.T, text string) {
		s := &script.Script{}
		if err := s.ParseFault(text); err != nil {
			return
		}
		if _, err := Run(simulatetest.Objects(t, simulatetest.DefaultProbes), s, Options{Horizon: 2 * time.Minute}); err != nil && !strings.Contains(err.Error(), "container") {
			t.Errorf("%q: %v", text, err)
		}
	})
}
