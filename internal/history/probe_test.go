package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 11, 29, 12, 0, 0, 123_456_000, time.UTC)

func probeOf(kind string) *Probe {
	return newProbe(Key{"app", kind}, Probing{"GET http://:8080/readyz", 2, 3})
}

// An attempt comes back as it was recorded, to the microsecond.
func TestRecord(t *testing.T) {
	p := probeOf("Readiness")
	if _, ok := p.Latest(); ok {
		t.Error("there is a latest attempt before the first one")
	}
	given := Attempt{
		Time: start, Took: 812 * time.Microsecond, Outcome: Failed, Instance: 4, Message: "HTTP probe failed with statuscode: 503",
		Run: 2, Failing: true, Result: Failing,
	}
	p.Record(Attempt{Time: start.Add(-time.Second), Outcome: Answered, Instance: 4, Run: 1, Result: Passing, Message: "ok"}, Detail{Message: "ok", Body: "ok"})
	p.Record(given, Detail{Message: given.Message, Status: 503, Body: "no database", BodySize: 11, Total: given.Took})
	want := given
	want.Seq, want.Threshold, want.Time = 2, 3, start.Local()
	got := slices.Collect(p.Since(1))
	if diff := cmp.Diff([]Attempt{want}, got); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	if latest, _ := p.Latest(); latest != want {
		t.Errorf("latest = %+v, want %+v", latest, want)
	}
	all := slices.Collect(p.Since(0))
	if len(all) != 2 || all[0].Threshold != 2 || all[0].Message != "" {
		t.Errorf("attempts = %+v, want two, the first with the success threshold and no message", all)
	}
	wantDetails := []Detail{
		{Seq: 1, Body: "ok"},
		{Seq: 2, Message: given.Message, Status: 503, Body: "no database", BodySize: 11, Total: given.Took},
	}
	if diff := cmp.Diff(wantDetails, p.Details()); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

func TestNotYet(t *testing.T) {
	type attempt struct {
		outcome  Outcome
		instance int
		result   Result
		want     bool
	}
	for name, test := range map[string]struct {
		kind     string
		attempts []attempt
	}{
		"before the first success": {"Readiness", []attempt{{Failed, 0, Failing, true}, {TimedOut, 0, Failing, true}, {Answered, 0, Failing, false}, {Failed, 0, Failing, false}}},
		"a warning is a success":   {"Readiness", []attempt{{Warning, 0, Passing, false}, {Failed, 0, Passing, false}}},
		"no verdict is none":       {"Readiness", []attempt{{NoVerdict, 0, Failing, false}, {Failed, 0, Failing, true}}},
		"after a restart":          {"Readiness", []attempt{{Answered, 0, Passing, false}, {Failed, 1, Failing, true}}},
		"startup":                  {"Startup", []attempt{{Failed, 0, NotKnown, true}, {Failed, 0, Failing, false}}},
		"liveness kills":           {"Liveness", []attempt{{TimedOut, 0, Passing, true}, {TimedOut, 0, Failing, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := probeOf(test.kind)
			for i, a := range test.attempts {
				p.Record(Attempt{Time: start.Add(time.Duration(i) * time.Second), Outcome: a.outcome, Instance: a.instance, Result: a.result}, Detail{})
				if got, _ := p.Latest(); got.NotYet != a.want {
					t.Errorf("attempt %d: NotYet = %v, want %v", i, got.NotYet, a.want)
				}
			}
		})
	}
}

// The last 720 attempts are kept one by one, those before in minutes: each attempt is in exactly
// one of the two.
func TestOldAttemptsAreMerged(t *testing.T) {
	p := probeOf("Liveness")
	const n, period = 2000, time.Second
	for i := range n {
		a := Attempt{Time: start.Add(time.Duration(i) * period), Took: time.Duration(i) * time.Microsecond, Outcome: Answered}
		if i%100 == 7 {
			a.Outcome = TimedOut
		}
		p.Record(a, Detail{})
	}
	all := slices.Collect(p.Since(0))
	if len(all) > maxAttempts || len(all) < maxAttempts-chunkSize {
		t.Fatalf("%d attempts are kept, want %d or up to %d fewer", len(all), maxAttempts, chunkSize)
	}
	for i, a := range all {
		if want := uint64(n - len(all) + 1 + i); a.Seq != want || a.Took != time.Duration(want-1)*time.Microsecond {
			t.Fatalf("attempt %d is %+v, want Seq %d", i, a, want)
		}
	}
	minutes := p.Minutes()
	attempts, late, sum := 0, 0, time.Duration(0)
	for i, m := range minutes {
		attempts, late, sum = attempts+m.Attempts, late+m.Counts[TimedOut], sum+m.Sum
		if i > 0 && !m.Start.After(minutes[i-1].Start) || !m.Start.Equal(m.Start.Truncate(time.Minute)) {
			t.Errorf("minute %d begins at %v", i, m.Start)
		}
		if worst := m.Counts[TimedOut] > 0; worst != (m.Worst == TimedOut) {
			t.Errorf("minute %d: worst is %v of %v", i, m.Worst, m.Counts)
		}
	}
	merged := n - len(all)
	if attempts != merged || late != (merged+92)/100 || sum != time.Duration(merged*(merged-1)/2)*time.Microsecond {
		t.Errorf("the minutes have %d attempts, %d late, %v; want %d, %d, %v", attempts, late, sum, merged, (merged+92)/100, time.Duration(merged*(merged-1)/2)*time.Microsecond)
	}
	if last := minutes[len(minutes)-1]; last.Max != time.Duration(merged-1)*time.Microsecond {
		t.Errorf("max = %v, want %v", last.Max, time.Duration(merged-1)*time.Microsecond)
	}
}

func TestAnHourOfMinutes(t *testing.T) {
	p := probeOf("Readiness")
	for i := range 3 * 3600 {
		p.Record(Attempt{Time: start.Add(time.Duration(i) * time.Second), Outcome: Failed, Result: Failing}, Detail{})
	}
	minutes := p.Minutes()
	if len(minutes) != maxMinutes {
		t.Errorf("%d minutes, want %d", len(minutes), maxMinutes)
	}
	if m := minutes[3]; !m.NotYet || m.Worst != Failed || m.Counts[Failed] != 60 {
		t.Errorf("minute = %+v, want 60 failures before the first success", m)
	}
}

// Rare attempts, and a clock that goes back, cost no attempt and no order.
func TestTimesFarApart(t *testing.T) {
	p := probeOf("Liveness")
	at := start
	var want []time.Time
	for i := range 30 {
		at = at.Add(40 * time.Minute)
		if i == 15 {
			at = at.Add(-3 * time.Hour)
		}
		p.Record(Attempt{Time: at}, Detail{})
		want = append(want, at)
	}
	all := slices.Collect(p.Since(0))
	if len(all) < maxChunks {
		t.Fatalf("%d attempts are kept, want at least %d", len(all), maxChunks)
	}
	for i, a := range all {
		if expected := want[len(want)-len(all)+i]; !a.Time.Equal(expected) {
			t.Errorf("attempt %d at %v, want %v", a.Seq, a.Time, expected)
		}
	}
}

// When there are too many different messages, those used least lately are forgotten; no attempt
// gets another one's.
func TestMessages(t *testing.T) {
	p := probeOf("Liveness")
	message := func(i int) string { return fmt.Sprintf("message %d", i) }
	for i := range 100 {
		p.Record(Attempt{Time: start, Outcome: Failed, Message: message(i)}, Detail{Message: message(i)})
		p.Record(Attempt{Time: start, Outcome: Failed, Message: "often"}, Detail{Message: "often"})
	}
	for a := range p.Since(0) {
		n := int(a.Seq-1) / 2
		switch {
		case a.Seq%2 == 0 && a.Message != "often":
			t.Errorf("attempt %d has the message %q, want often", a.Seq, a.Message)
		case a.Seq%2 == 1 && n >= 100-maxMessages+1 && a.Message != message(n):
			t.Errorf("attempt %d has the message %q, want %q", a.Seq, a.Message, message(n))
		case a.Seq%2 == 1 && n < 100-maxMessages+1 && a.Message != "":
			t.Errorf("attempt %d has the message %q, want none", a.Seq, a.Message)
		}
	}
}

func TestCut(t *testing.T) {
	for text, want := range map[string]string{"": "", "abcde": "abcde", "abcdef": "abcde", "abcdä": "abcd", "\xff\xff\xff\xff\xff\xff": "\xff\xff\xff\xff\xff"} {
		if got := cut(text, 5); got != want {
			t.Errorf("cut(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestLongTextsAreCut(t *testing.T) {
	p := probeOf("Liveness")
	long := strings.Repeat("x", 10<<10)
	p.Record(Attempt{Time: start, Outcome: Failed, Message: long}, Detail{Message: long, Body: long, BodySize: len(long)})
	a, _ := p.Latest()
	d := p.Details()[0]
	if len(a.Message) != MaxMessage || len(d.Message) != MaxBody || len(d.Body) != MaxBody || d.BodySize != len(long) {
		t.Errorf("lengths are %d, %d, %d and %d", len(a.Message), len(d.Message), len(d.Body), d.BodySize)
	}
}

// Readers that look all the time see attempts in order, each with its own time and message, and
// never half of one.
func TestReadersBesideTheWriter(t *testing.T) {
	p := probeOf("Liveness")
	const n = 3000
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			seen := uint64(0)
			for stopped := false; !stopped; {
				select {
				case <-done:
					stopped = true
				default:
				}
				for a := range p.Since(seen) {
					checkTwin(t, seen, a)
					seen = a.Seq
				}
				if latest, ok := p.Latest(); ok {
					checkTwin(t, 0, latest)
				}
				for _, d := range p.Details() {
					if d.Message != fmt.Sprintf("message %d", d.Seq%20) {
						t.Errorf("detail %d has the message %q", d.Seq, d.Message)
					}
				}
				p.Minutes()
			}
			if seen != n {
				t.Errorf("the last attempt seen was %d, want %d", seen, n)
			}
		})
	}
	for i := uint64(1); i <= n; i++ {
		text := fmt.Sprintf("message %d", i%20)
		p.Record(Attempt{Time: start.Add(time.Duration(i) * time.Second), Took: time.Duration(i) * time.Microsecond, Outcome: Failed, Message: text}, Detail{Message: text})
	}
	close(done)
	readers.Wait()
}

// checkTwin checks an attempt against what its Seq says that it is.
func checkTwin(t *testing.T, after uint64, a Attempt) {
	t.Helper()
	text := fmt.Sprintf("message %d", a.Seq%20)
	if a.Seq <= after || !a.Time.Equal(start.Add(time.Duration(a.Seq)*time.Second)) || a.Took != time.Duration(a.Seq)*time.Microsecond || a.Message != text && a.Message != "" {
		t.Errorf("after %d came %+v", after, a)
	}
}

// FuzzRecord compares what is kept with a plain list.
func FuzzRecord(f *testing.F) {
	f.Add(uint64(1), uint16(900))
	f.Add(uint64(7), uint16(3000))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		random := rand.New(rand.NewPCG(seed, 0))
		p, at := probeOf("Liveness"), start
		var want []Attempt
		for range n % 4000 {
			at = at.Add(time.Duration(random.Int64N(int64(time.Duration(1+random.IntN(5000))*time.Second))) - time.Minute)
			a := Attempt{
				Time: at.Truncate(time.Microsecond), Took: time.Duration(random.IntN(1e6)) * time.Microsecond, Outcome: Outcome(random.IntN(int(outcomes))),
				Instance: random.IntN(3), Run: random.IntN(9), Result: Result(random.IntN(3)), Failing: random.IntN(2) == 0,
			}
			p.Record(a, Detail{})
			want = append(want, a)
		}
		got := slices.Collect(p.Since(0))
		total := len(got)
		for _, m := range p.Minutes() {
			total += m.Attempts
		}
		if total > len(want) || len(got) == 0 != (len(want) == 0) {
			t.Fatalf("%d attempts are kept, and %d with the minutes, of %d", len(got), total, len(want))
		}
		for i, a := range got {
			w := want[len(want)-len(got)+i]
			w.Seq, w.NotYet, w.Threshold, w.Time = a.Seq, a.NotYet, a.Threshold, w.Time.Local()
			if a != w || a.Seq != uint64(len(want)-len(got)+i+1) {
				t.Fatalf("attempt %d is %+v, want %+v", i, a, w)
			}
		}
	})
}

// TestMessageNumbers: when numbers begin anew, no text gets the number of one that is still used.
func TestMessageNumbers(t *testing.T) {
	var m messages
	always := m.number("always")
	for i := range 3 * 1 << 16 {
		if n := m.number(strconv.Itoa(i)); n == always || n == 0 {
			t.Fatalf("text %d has the number %d", i, n)
		}
		if n := m.number("always"); n != always {
			t.Fatalf("the number became %d after %d texts", n, i)
		}
	}
}
