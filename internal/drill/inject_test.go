package drill

import (
	"testing"
	"time"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/relay"
)

// TestRelayModes: the relay does what the word says, and passes by itself if nobody undoes it.
func TestRelayModes(t *testing.T) {
	for word, want := range map[string]relay.Mode{
		"dependency-outage:db":            {Kind: relay.Down},
		"dependency-outage:db=hang":       {Kind: relay.Hang},
		"dependency-outage:db=reset":      {Kind: relay.Reset},
		"dependency-outage:db=dead":       {Kind: relay.Dead},
		"dependency-outage:db=slow:300ms": {Kind: relay.Slow, Delay: 300 * time.Millisecond},
		"dns=slow:5s":                     {Kind: relay.Slow, Delay: 5 * time.Second},
		"pool:db":                         {Kind: relay.Slow, Delay: poolDelay},
	} {
		f, err := ParseFault(word)
		want.For = outsideLength + deadlineSlack
		if got := f.mode(); err != nil || got != want || got.Check() != nil {
			t.Errorf("%s: %+v, %v, %v, want %+v", word, got, got.Check(), err, want)
		}
	}
}

// TestStallIsAStop: a stall of garbage collection is a stop of the processes that a restart does
// not cure, as hang+8s is.
func TestStallIsAStop(t *testing.T) {
	f, err := ParseFault("gc-stall=8s/1h")
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.process()
	if err != nil || p.Kind != process.FaultStop || !f.stops() || f.Side() != SideOutside || f.Title() != "stall of 8s" {
		t.Errorf("%+v, %v, stops %v, %s, %q", p, err, f.stops(), f.Side(), f.Title())
	}
}
