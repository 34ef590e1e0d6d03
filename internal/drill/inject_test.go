package drill

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/relay"
	"github.com/probity-run/probity/internal/store"
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
	p, err := f.process(&Workload{})
	if err != nil || p.Kind != process.FaultStop || !f.stops() || f.Side() != SideOutside || f.Title() != "stall of 8s" {
		t.Errorf("%+v, %v, stops %v, %s, %q", p, err, f.stops(), f.Side(), f.Title())
	}
}

// TestDeadline: nobody undoes a fault while a slow liveness probe, and the grace period after it,
// may still take their time.
func TestDeadline(t *testing.T) {
	liveness := func(period, timeout Offset) []Probe {
		return []Probe{{Type: "Liveness", Period: period * second, Timeout: timeout * second, Failures: 3}}
	}
	slow := Workload{Grace: 60 * second, Probes: liveness(60, 10)} // A + P is 190 s
	for name, test := range map[string]struct {
		fault string
		w     Workload
		want  time.Duration
	}{
		"its length":             {"hang+8s", slow, replaceLimit + deadlineSlack},
		"a long one":             {"throttle=5%+10m", slow, 10*time.Minute + deadlineSlack},
		"no probe":               {"hang", Workload{}, replaceLimit + deadlineSlack},
		"a slow probe":           {"hang", slow, 190*time.Second + time.Second + replaceLimit + ownLag + deadlineSlack},
		"a deadlock":             {"deadlock", slow, 190*time.Second + lagLimit + replaceLimit + ownLag + deadlineSlack},
		"another container's":    {"fds", Workload{Beside: []Container{{Probes: slow.Probes}}}, 190*time.Second + lagLimit/3 + ownLag + deadlineSlack},
		"what a shepherd allows": {"hang", Workload{Probes: liveness(3600, 1)}, process.MaxFault},
	} {
		f, err := ParseFault(test.fault)
		if got := f.deadline(&test.w); err != nil || got != test.want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, test.want)
		}
	}
}

// TestPausedRollout: nothing would come of one, so it is left out and not waited for.
func TestPausedRollout(t *testing.T) {
	d, web := newDrill(t)
	web.kind = "deployment"
	for _, paused := range []bool{false, true} {
		o := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("web-%t", paused)}, Spec: appsv1.DeploymentSpec{Paused: paused}}
		if _, err := store.Create(d.record.store, o); err != nil {
			t.Fatal(err)
		}
		web.object = o.Name
		if why := d.missing(Fault{Kind: KindRollout}, web.Name); strings.Contains(why, "spec.paused") != paused {
			t.Errorf("paused %t: %q", paused, why)
		}
	}
}
