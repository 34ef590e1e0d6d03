package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// bench drives one Worker by hand. Instants are counted from the bench's start.
type bench struct {
	*Worker
	start time.Time
}

func newBench(t ProbeType, probe *corev1.Probe) *bench {
	w := newWorker("u1", "app", t, probe)
	w.offset = testOffset
	return &bench{w, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (b *bench) at(d time.Duration) time.Time { return b.start.Add(d) }

// begins turns the worker to an instance that started and was seen at the given instant.
func (b *bench) begins(instance string, d time.Duration) { b.begin(instance, b.at(d), b.at(d)) }

// runs lets the worker run as it likes, each run taking the given time and finding what find says,
// and lists when runs began.
func (b *bench) runs(until, takes time.Duration, find func() ProbeOutcome) []time.Duration {
	var began []time.Duration
	for {
		due := b.due()
		if due.After(b.at(until)) {
			return began
		}
		if !b.runIfDue(due) {
			panic("not due when due")
		}
		began = append(began, due.Sub(b.start))
		b.count(find())
		if done := due.Add(takes); b.runIfDue(done) { // what was missed meanwhile begins at once
			began = append(began, done.Sub(b.start))
			b.count(find())
		}
	}
}

func succeed() ProbeOutcome { return OutcomeSuccess }
func fail() ProbeOutcome    { return OutcomeFailure }

func halves(n ...int) []time.Duration {
	var d []time.Duration
	for _, h := range n {
		d = append(d, time.Duration(h)*time.Second/2)
	}
	return d
}

func TestTicks(t *testing.T) {
	tests := []struct {
		name  string
		probe *corev1.Probe
		until time.Duration
		want  []time.Duration
	}{
		{"P 1", newProbe(1), 4 * time.Second, halves(1, 3, 5, 7)},
		{"P 5", newProbe(1, period(5)), 16 * time.Second, halves(1, 11, 21, 31)},
		{"R20 D 3", newProbe(1, delayed(3)), 6 * time.Second, halves(7, 9, 11)},
		{"R20 D 3, P 10", newProbe(1, delayed(3), period(10)), 24 * time.Second, halves(7, 27, 47)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(Liveness, tt.probe)
			b.begins("1", 0)
			if diff := cmp.Diff(tt.want, b.runs(tt.until, 0, succeed)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFirstTickOffset(t *testing.T) { // A23 R7
	seen := map[time.Duration]bool{}
	for i := range 1000 {
		offset := firstTickOffset(fmt.Sprintf("u%d", i), "app", Liveness)
		if offset < 500*time.Millisecond || offset >= time.Second {
			t.Errorf("offset of pod %d = %v, want [500ms, 1s)", i, offset)
		}
		seen[offset] = true
	}
	if len(seen) < 400 {
		t.Errorf("1000 Pods share %d offsets of 500", len(seen))
	}
	if a, b := firstTickOffset("u", "app", Liveness), firstTickOffset("u", "app", Liveness); a != b {
		t.Errorf("offsets of one worker differ: %v and %v", a, b)
	}
}

func TestPhaseIsKept(t *testing.T) { // R9
	tests := []struct {
		name   string
		probe  *corev1.Probe
		second time.Duration // when the second instance starts
		want   []time.Duration
	}{
		{"just before a tick it is left alone a moment", newProbe(1), 5300 * time.Millisecond, []time.Duration{5550 * time.Millisecond, 6500 * time.Millisecond}},
		{"at a tick, whose run may have killed the first", newProbe(1), 5500 * time.Millisecond, halves(13, 15)},
		{"just after a tick", newProbe(1), 5600 * time.Millisecond, halves(13, 15)},
		{"long period", newProbe(1, period(10)), 23 * time.Second, halves(61, 81)},
		{"R20 its own initial delay", newProbe(1, period(10), delayed(4)), 23 * time.Second, halves(69, 89)},
		{"R20 its own initial delay, just over a tick", newProbe(1, period(10), delayed(4)), 31 * time.Second, halves(89, 109)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(Liveness, tt.probe)
			b.begins("1", 0)
			b.runs(5*time.Second, 0, succeed)
			b.begins("2", tt.second)
			got := b.runs(tt.second+time.Minute, 0, succeed)
			if diff := cmp.Diff(tt.want, got[:2]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMissedTicks(t *testing.T) { // R10
	tests := []struct {
		name  string
		takes time.Duration
		want  []time.Duration
	}{
		{"in time", 900 * time.Millisecond, halves(1, 3, 5)},
		{"one missed tick is made up for", 1300 * time.Millisecond, []time.Duration{500 * time.Millisecond, 1800 * time.Millisecond, 2500 * time.Millisecond}},
		{"of several only one", 3200 * time.Millisecond, []time.Duration{500 * time.Millisecond, 3700 * time.Millisecond, 4500 * time.Millisecond}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(Liveness, newProbe(1))
			b.begins("1", 0)
			takes := tt.takes
			got := b.runs(500*time.Millisecond, takes, succeed)
			got = append(got, b.runs(6*time.Second, 0, succeed)...)
			if diff := cmp.Diff(tt.want, got[:3]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOneRunAtATime(t *testing.T) { // R10
	b := newBench(Readiness, newProbe(1))
	b.begins("1", 0)
	if !b.runIfDue(b.at(time.Second)) {
		t.Fatal("no run at a second")
	}
	b.trigger(b.at(1500 * time.Millisecond))
	for _, d := range []time.Duration{time.Second, 2 * time.Second, time.Hour} {
		if b.runIfDue(b.at(d)) {
			t.Errorf("a second run at %v, the first is in flight", d)
		}
	}
	b.count(OutcomeFailure)
	if !b.runIfDue(b.at(time.Hour)) {
		t.Error("no run once the first has ended")
	}
	if b.runIfDue(b.at(time.Hour)) {
		t.Error("the trigger and the ticks that were missed meanwhile make one run, not two")
	}
}

func TestSkip(t *testing.T) { // ticks that pass while a gate is closed are lost
	b := newBench(Liveness, newProbe(1, period(10)))
	b.begins("1", 0)
	b.skip(b.at(499 * time.Millisecond))
	if got := b.due().Sub(b.start); got != 500*time.Millisecond {
		t.Errorf("due at %v before the tick, want 500ms", got)
	}
	b.skip(b.at(500 * time.Millisecond))
	if got := b.due().Sub(b.start); got != 10500*time.Millisecond {
		t.Errorf("due at %v after it, want 10.5s", got)
	}
	b.skip(b.at(55 * time.Second))
	if got := b.due().Sub(b.start); got != 60500*time.Millisecond {
		t.Errorf("due at %v after several, want 1m0.5s", got)
	}
}

func TestResync(t *testing.T) { // R14 R18
	b := newBench(Readiness, newProbe(1, period(90)))
	b.begins("1", 0)
	if diff := cmp.Diff(halves(1, 121, 241), b.runs(125*time.Second, 0, fail)); diff != "" {
		t.Errorf("NotReady:\n%s", diff)
	}
	b = newBench(Readiness, newProbe(1, period(90)))
	b.begins("1", 0)
	if diff := cmp.Diff(halves(1, 181), b.runs(125*time.Second, 0, succeed)); diff != "" {
		t.Errorf("Ready:\n%s", diff)
	}
	b = newBench(Liveness, newProbe(9, period(90)))
	b.begins("1", 0)
	if diff := cmp.Diff(halves(1, 181), b.runs(125*time.Second, 0, fail)); diff != "" {
		t.Errorf("liveness:\n%s", diff)
	}
}

func TestSeeds(t *testing.T) { // R22
	want := map[ProbeType]ProbeResult{Readiness: ResultFailure, Liveness: ResultSuccess, Startup: ResultUnknown}
	for _, typ := range ProbeTypes() {
		b := newBench(typ, newProbe(1))
		if b.result != want[typ] {
			t.Errorf("%s begins with %s, want %s", typ, b.result, want[typ])
		}
		b.count(OutcomeFailure)
		b.begins("2", time.Minute)
		if b.result != want[typ] || b.hold {
			t.Errorf("%s goes on with %s, hold %v, want %s, no hold", typ, b.result, b.hold, want[typ])
		}
	}
}

// TestThresholds feeds outcomes (S success, W warning, F failure, E error of three attempts) and
// looks at what is published after each one (letters as above, U unknown; lower case while the
// worker is on hold, R37 R38). A | is a new instance.
func TestThresholds(t *testing.T) {
	tests := []struct {
		name     string
		typ      ProbeType
		f, s     int32
		outcomes string
		want     string
	}{
		{"R30 F 1", Liveness, 1, 1, "SF", "Sf"},
		{"R30 F 3 counts the first failure", Liveness, 3, 1, "FFF", "SSf"},
		{"R28 F 2 is not F 3", Liveness, 2, 1, "FF", "Sf"},
		{"R29 consecutive", Liveness, 3, 1, "FFSFFSFFF", "SSSSSSSSf"},
		{"R26 errors neither lengthen nor break", Liveness, 3, 1, "FEFEEF", "SSSSSf"},
		{"R26 errors alone never trip", Liveness, 1, 1, "EEEE", "SSSS"},
		{"R44 a warning is a success", Liveness, 2, 1, "FWF", "SSS"},
		{"R32 failures outlive the instance", Liveness, 3, 1, "FF|F", "SS|f"},
		{"R32 successes break them there too", Liveness, 3, 1, "FF|SFFF", "SS|SSSf"},
		{"R39 after the verdict the count is fresh", Liveness, 3, 1, "FFF|FFF", "SSf|SSf"},
		{"R28 readiness F 3", Readiness, 3, 1, "SFFF", "SSSF"},
		{"R28 readiness S 3", Readiness, 1, 3, "SSFSSS", "FFFFFS"},
		{"R40 readiness is never on hold", Readiness, 1, 1, "FFSFS", "FFSFS"},
		{"R33 successes outlive the instance", Readiness, 3, 3, "SSS|S", "FFS|S"},
		{"R33 unless a failure comes between", Readiness, 3, 3, "SSSF|SSS", "FFSS|FFS"},
		{"R44 warnings count for readiness", Readiness, 1, 2, "WS", "FS"},
		{"R38 startup success holds", Startup, 3, 1, "FFS", "UUs"},
		{"R38 startup failure holds", Startup, 3, 1, "FFF", "UUf"},
		{"R48 startup errors never end", Startup, 1, 1, "EEE", "UUU"},
		{"R39 fresh startup count", Startup, 2, 1, "FF|FF", "Uf|Uf"},
		{"R32 startup failures outlive the instance", Startup, 3, 1, "FF|F", "UU|f"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(tt.typ, newProbe(tt.f, succeeds(tt.s)))
			b.begins("1", 0)
			var got strings.Builder
			for _, o := range tt.outcomes {
				if o == '|' {
					b.begins("2", time.Minute)
					got.WriteRune(o)
					continue
				}
				b.feed(t, o)
				letter := string(b.result)[:1]
				if b.hold {
					letter = strings.ToLower(letter)
				}
				got.WriteString(letter)
			}
			if got.String() != tt.want {
				t.Errorf("%s published %s, want %s", tt.outcomes, got.String(), tt.want)
			}
		})
	}
}

// feed counts one run and checks that count tells truly whether the published result changed, and
// when to try again (R42).
func (b *bench) feed(t *testing.T, outcome rune) {
	t.Helper()
	outcomes := map[rune][]ProbeOutcome{
		'S': {OutcomeSuccess}, 'W': {OutcomeWarning}, 'F': {OutcomeFailure},
		'E': {OutcomeErrorUnknown, OutcomeErrorFailure, OutcomeErrorUnknown},
	}[outcome]
	before := b.result
	b.inFlight, b.attempt = true, 1
	for i, o := range outcomes {
		again, changed := b.count(o)
		if want := i < len(outcomes)-1; again != want || b.inFlight != want {
			t.Errorf("attempt %d found %v: again = %v, in flight = %v, want %v", i+1, o, again, b.inFlight, want)
		}
		if changed != (b.result != before) {
			t.Errorf("attempt %d: changed = %v, but %s became %s", i+1, changed, before, b.result)
		}
	}
}

func TestProbeState(t *testing.T) {
	w := newTestNode(t, spec(named("a", liveness(3), readiness(2, succeeds(4))), named("b", startup(5))), Options{})
	w.scripts["a"].probe = replies{Liveness: "500", Readiness: "200"}.answer
	w.scripts["b"].probe = replies{Startup: "200"}.answer
	w.run(2 * time.Second)
	next := w.start.Add(2500 * time.Millisecond)
	want := []ProbeState{
		// triggeredAt once
		{Container: "a", Type: Readiness, Result: ResultFailure, Last: ResultSuccess, Run: 3, Threshold: 4, Next: next},
		{Container: "a", Type: Liveness, Result: ResultSuccess, Last: ResultFailure, Run: 2, Threshold: 3, Next: next},
		{Container: "b", Type: Startup, Result: ResultSuccess, Last: ResultSuccess, Run: 0, Threshold: 1, Hold: true},
	}
	got := w.pod.Probes()
	if i := slices.IndexFunc(got, func(s ProbeState) bool { return s.Hold }); i >= 0 {
		got[i].Next = time.Time{} // of no meaning on hold
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
