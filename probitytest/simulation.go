package probitytest

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/render"
	"github.com/probity-run/probity/internal/simulate/script"
)

// Simulation asks what would become of a manifest on a cluster, in virtual time: minutes take
// milliseconds, nothing is started, and the answer is the same each time. The zero value is ten
// minutes without a fault.
type Simulation struct {
	// Faults are what happens, in the words of probity simulate --fault: "hang@60s",
	// "slow-start=90s", "dependency-outage@1m+20s".
	Faults []string
	// Script is a file that says what the service does (probity simulate script describes it).
	// Default: it starts at once and answers well.
	Script string
	// Horizon is how long is simulated. Default ten minutes.
	Horizon time.Duration
	// Seed chooses among what chance may bring. Default 1.
	Seed uint64
	// Replicas of each workload. Default: those of the manifest.
	Replicas int
	// Rate is how many requests a second are imagined. Default 100.
	Rate float64
}

// Assert plays a manifest and checks sentences such as "restarts == 0", "ready within 30s",
// "detected within 20s", "drained within 10s" and "failed-requests <= 100", in the form of probity
// simulate --assert. Wherever in their periods the probes begin, they have to hold. Those that do
// not are errors of the test, with the timeline.
func (s Simulation) Assert(t testing.TB, file string, sentences ...string) {
	t.Helper()
	broken, timeline, err := s.check(file, sentences)
	if err != nil {
		t.Fatalf("cannot simulate %s: %v", file, err)
	}
	for _, b := range broken {
		t.Error(b)
	}
	if len(broken) > 0 {
		t.Log(timeline)
	}
}

// check plays a manifest and returns the sentences that do not hold, with what holds instead.
func (s Simulation) check(file string, sentences []string) (broken []string, timeline string, err error) {
	var assertions []simulate.Assertion
	for _, text := range sentences {
		a, err := simulate.ParseAssertion(text)
		if err != nil {
			return nil, "", err
		}
		assertions = append(assertions, a)
	}
	result, err := s.play(file)
	if err != nil {
		return nil, "", err
	}
	rate := cmp.Or(s.Rate, 100)
	for _, a := range assertions {
		if r := result.Summary.Check(a, rate); !r.Holds {
			broken = append(broken, fmt.Sprintf("%s: %s does not hold: got %s", file, r.Assertion, r.Got))
		}
	}
	var text strings.Builder
	err = render.Text(&text, result, rate)
	return broken, text.String(), err
}

func (s Simulation) play(file string) (*simulate.Result, error) {
	sc := &script.Script{}
	if s.Script != "" {
		var err error
		if sc, err = script.Load(s.Script, nil); err != nil {
			return nil, err
		}
	}
	for _, fault := range s.Faults {
		if err := sc.ParseFault(fault); err != nil {
			return nil, err
		}
	}
	set, err := manifest.Load(manifest.Options{AllWorkloads: true}, file)
	if err != nil {
		return nil, err
	}
	if err := simulate.Check(set.Objects); err != nil {
		return nil, err
	}
	options := simulate.Options{Horizon: s.Horizon, Replicas: s.Replicas, Seed: cmp.Or(s.Seed, 1)}
	result, err := simulate.Run(set.Objects, sc, options)
	if err != nil {
		return nil, err
	}
	result.Summary.AnyPhase, err = simulate.Sweep(set.Objects, sc, options)
	return result, err
}
