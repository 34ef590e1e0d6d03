package render

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// TestEveryFaultKind simulates a fault of each kind and wants all renderers to speak of it.
func TestEveryFaultKind(t *testing.T) {
	for _, kind := range script.FaultKinds() {
		t.Run(string(kind), func(t *testing.T) {
			r := simulated(t, simulatetest.Deployment, scriptWith(t, kind), simulate.Options{Horizon: 3 * time.Minute})
			if kind.Summary() != "" && !strings.Contains(rendered(t, func(out io.Writer) error { return SummaryText(out, &r.Summary, 100) }), kind.Summary()) {
				t.Errorf("the summary does not say that %s", kind.Summary())
			}
			for name, write := range map[string]func(io.Writer) error{
				"text": func(out io.Writer) error { return Text(out, r, 100) },
				"JSON": func(out io.Writer) error { return JSON(out, r, nil) },
				"SVG":  func(out io.Writer) error { return SVG(out, r, 100) },
			} {
				if !strings.Contains(rendered(t, write), "the fault in question") {
					t.Errorf("the %s does not speak of it", name)
				}
			}
		})
	}
}

// scriptWith is a script with a fault of a kind, called "the fault in question".
func scriptWith(t *testing.T, kind script.FaultKind) *script.Script {
	t.Helper()
	fault := "{name: the fault in question, at: 60s, fault: " + string(kind)
	s, err := script.Decode("test", []byte("faults: ["+fault+"}]"))
	if err != nil { // then it needs a latency
		s, err = script.Decode("test", []byte("faults: ["+fault+", latency: 2s}]"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rendered(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
