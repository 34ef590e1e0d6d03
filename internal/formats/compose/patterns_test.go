package compose_test

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/formats/compose"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
)

// pattern is a health check with its times.
type pattern struct{ name, fields string }

// patterns are the twelve of docs/differences.md.
func patterns() []pattern {
	return []pattern{
		{"Docker's defaults", ""},
		{"often", "interval: 5s, timeout: 3s"},
		{"less than a second", "interval: 500ms, timeout: 500ms"},
		{"no whole seconds", "interval: 1.5s, timeout: 2500ms, retries: 4"},
		{"seldom", "interval: 1m30s, timeout: 10s"},
		{"timeout longer than interval", "interval: 5s, timeout: 10s, retries: 2"},
		{"one failure", "interval: 10s, timeout: 5s, retries: 1"},
		{"many failures", "interval: 5s, timeout: 5s, retries: 10"},
		{"start period", "interval: 30s, timeout: 10s, start_period: 40s"},
		{"start period, asked often", "interval: 30s, timeout: 5s, start_period: 1m, start_interval: 1s"},
		{"start period within its interval", "interval: 10s, timeout: 2s, start_period: 2s"},
		{"start interval longer than interval", "interval: 3s, timeout: 1s, start_period: 25s, start_interval: 10s"},
	}
}

func (p pattern) file() string {
	return "services:\n  web:\n    image: web\n    ports: [8080]\n    healthcheck: {test: \"curl -f http://localhost:8080/\"" + prefixed(p.fields) + "}\n"
}

func prefixed(fields string) string {
	if fields == "" {
		return ""
	}
	return ", " + fields
}

// load reads the pattern as everybody does.
func (p pattern) load(t *testing.T) (*manifest.Set, compose.Timing, compose.Probes) {
	t.Helper()
	set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(p.file()), Formats: formats.All(formats.Options{})}, "-")
	if err != nil {
		t.Fatal(err)
	}
	project, remarks := compose.Read(nodes(t, p.file()), compose.Options{})
	if len(remarks) > 0 {
		t.Fatal(remarks)
	}
	timing := project.Services[0].Healthcheck.Timing
	return set, timing, compose.ProbesOf(timing, false)
}

// TestPatterns: what Compare says of Docker is what Monitor does, and what it says of Kubernetes is
// what simulate does, at whatever moment a fault begins.
func TestPatterns(t *testing.T) {
	for _, p := range patterns() {
		t.Run(p.name, func(t *testing.T) {
			set, timing, probes := p.load(t)
			for _, q := range compose.Questions() {
				said := timing.Span(q)
				took := ofMonitor(t, timing, q)
				if !covers(said, took, timing.Interval/4) {
					t.Errorf("%s: Docker takes %v, Monitor %v", q, said, took)
				}
				said, ok := probes.Span(q)
				took, happens := ofSimulation(t, set.Objects, probes, q)
				if ok != happens {
					t.Errorf("%s: Kubernetes does it: %v, simulate: %v", q, ok, happens)
				}
				step := time.Duration(probes.Readiness.Period) * time.Second / 3
				if ok && !covers(said, took, step+2*time.Second) {
					t.Errorf("%s: Kubernetes takes %v, simulate %v", q, said, took)
				}
			}
		})
	}
}

// TestNotKilledBeforeUnhealthy: what Docker still calls starting, the startup probe does not kill.
func TestNotKilledBeforeUnhealthy(t *testing.T) {
	for _, p := range patterns() {
		_, timing, probes := p.load(t)
		killed, ok := probes.Span(compose.StartsLong)
		if unhealthy := timing.Span(compose.StartsLong); ok && killed.From < unhealthy.To {
			t.Errorf("%s: killed after %v, and Docker calls it unhealthy after %v", p.name, killed, unhealthy)
		}
	}
}

// covers reports whether measured times lie in a span and come near its ends.
func covers(said, took compose.Span, near time.Duration) bool {
	return took.From >= said.From-slack && took.To <= said.To+slack && took.From <= said.From+near && took.To >= said.To-near
}

// slack is what an answer and a sync take.
const slack = 100 * time.Millisecond

// widen makes a span of all that was measured.
func widen(span *compose.Span, first *bool, took time.Duration) {
	if *first {
		*span, *first = compose.Span{From: took, To: took}, false
	}
	span.From, span.To = min(span.From, took), max(span.To, took)
}

func ofMonitor(t *testing.T, timing compose.Timing, q compose.Question) (span compose.Span) {
	t.Helper()
	first := true
	const settled = 2 * time.Minute
	for i := range 32 {
		fault := settled + timing.Interval*time.Duration(i)/8
		over := fault + timing.Span(compose.Hangs).To + timing.Timeout
		answer, from, status := func(begin time.Duration) (time.Duration, bool) {
			switch {
			case q == compose.StartsLong:
				return 0, false
			case q == compose.Begins || begin < fault || begin >= over:
				return 0, true
			case q == compose.Hangs:
				return 2 * time.Hour, false
			}
			return 0, false
		}, fault, compose.Unhealthy
		switch q {
		case compose.Begins:
			from, status = 0, compose.Healthy
		case compose.Recovers:
			from, status = over, compose.Healthy
		case compose.StartsLong:
			from = 0
		}
		at, ok := compose.Becomes(compose.Monitor(timing, answer, over+5*time.Minute), status, from)
		if !ok {
			t.Fatalf("%s: it never becomes %s", q, status)
		}
		widen(&span, &first, at-from)
	}
	return span
}

func ofSimulation(t *testing.T, objects []manifest.Object, probes compose.Probes, q compose.Question) (span compose.Span, happens bool) {
	t.Helper()
	first := true
	period := time.Duration(probes.Readiness.Period) * time.Second
	hangs, _ := probes.Span(compose.Hangs)
	lasts := hangs.To + 2*period // of a fault: every probe has noticed it
	for i := range 8 {
		fault := 2*time.Minute + period*time.Duration(i)/7
		sc := &script.Script{Programs: map[string]script.Program{}}
		from, ready := fault, false
		text := ""
		switch q {
		case compose.Begins:
			from, ready = 0, true
		case compose.Fails:
			text = fmt.Sprintf("errors@%v+%v", fault, lasts)
		case compose.Hangs:
			text = fmt.Sprintf("hang@%v+%v", fault, lasts)
		case compose.Recovers:
			text, from, ready = fmt.Sprintf("errors@%v+%v", fault, lasts), fault+lasts, true
		case compose.StartsLong:
			text, from = "slow-start=24h", 0
		}
		if text != "" {
			if err := sc.ParseFault(text); err != nil {
				t.Fatal(err)
			}
		}
		result, err := simulate.Run(objects, sc, simulate.Options{Horizon: fault + lasts + 2*period, Seed: uint64(i + 1)})
		if err != nil {
			t.Fatal(err)
		}
		at, ok := time.Duration(0), false
		if q == compose.StartsLong {
			if ok = len(result.Summary.Verdicts) > 0; ok {
				at = time.Duration(result.Summary.Verdicts[0].At)
			}
		} else {
			at, ok = becomes(result.Timeline, ready, from)
		}
		if !ok {
			return span, false
		}
		widen(&span, &first, at-from)
	}
	return span, true
}

// becomes is when a Pod's readiness first changes to a value, from a time on.
func becomes(timeline *simulate.Timeline, ready bool, from time.Duration) (time.Duration, bool) {
	for _, e := range timeline.Entries() {
		if e.Kind == simulate.EntryReady && e.Ready != nil && *e.Ready == ready && time.Duration(e.At) >= from {
			return time.Duration(e.At), true
		}
	}
	return 0, false
}

// TestDocs: the table of docs/differences.md has the patterns, with what is computed of them.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../../docs/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := table(t); !strings.Contains(string(page), table) {
		t.Errorf("docs/differences.md does not have this table:\n%s", table)
	}
}

// table is that of the page: Docker's times before Kubernetes'.
func table(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| pattern | `healthcheck` | first asked | noticed when checks fail | noticed when it hangs | a start that never ends: unhealthy, or killed |\n|---|---|---|---|---|---|\n")
	for _, p := range patterns() {
		_, timing, probes := p.load(t)
		fmt.Fprintf(&b, "| %s | `%s` |", p.name, cmp.Or(p.fields, "no times"))
		for _, q := range []compose.Question{compose.Begins, compose.Fails, compose.Hangs, compose.StartsLong} {
			kubernetes := "never"
			if span, ok := probes.Span(q); ok {
				kubernetes = span.String()
			}
			fmt.Fprintf(&b, " %v; %s |", timing.Span(q), kubernetes)
		}
		b.WriteString("\n")
	}
	return b.String()
}
