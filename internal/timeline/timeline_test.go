package timeline

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

const second = time.Second

// hang is a Pod that hangs at 60 s, is restarted at 70 s and is ready again at 80 s.
func hang() *Picture {
	return &Picture{To: 120 * second, Groups: []Group{{
		Grounds: []Ground{{60 * second, 70 * second, "hang@60s"}},
		Lanes: []Lane{
			{Name: "state", Cuts: []Cut{{70 * second, "restart 1"}}, Spans: []Span{
				{0, 6 * second, false, Starting, "starting"}, {6 * second, 62 * second, false, Ready, "ready"},
				{62 * second, 70 * second, false, NotReady, "not ready"}, {80 * second, 120 * second, true, Ready, "ready"},
			}},
			{Name: "liveness", Minor: true, Attempts: []Attempt{
				{At: 3 * second, Times: 19, Every: 3 * second, Title: "well"},
				{At: 61 * second, Took: second, Outcome: TimedOut, Counter: "1/3"}, {At: 64 * second, Took: second, Outcome: TimedOut, Counter: "2/3"},
				{At: 67 * second, Took: second, Outcome: TimedOut, Counter: "3/3"},
			}},
		},
	}}}
}

// classes counts the elements of a drawing by class.
func classes(d Drawing) map[string]int {
	counts := map[string]int{}
	for _, e := range d.Elements {
		counts[e.Class]++
	}
	return counts
}

func TestDraw(t *testing.T) {
	d := Draw(hang(), Page(736))
	got := classes(d)
	for class, want := range map[string]int{"l-ready": 2, "l-start": 1, "l-not": 1, "l-fault": 1, "s-ok": 1, "s-late": 1, "s-cut": 1, "s-cutf": 1, "m e k": 2} {
		if got[class] != want {
			t.Errorf("%d elements of class %q, want %d", got[class], class, want)
		}
	}
	for _, e := range d.Elements {
		if strings.Contains(strings.Join(e.Attributes, " "), "NaN") || e.Tag == "style" {
			t.Errorf("element %+v", e)
		}
		for i := 0; i < len(e.Attributes); i += 2 {
			if name := e.Attributes[i]; name == "style" || name == "fill" || name == "stroke" {
				t.Errorf("%s has the attribute %s: how it looks is for a stylesheet to say", e.Tag, name)
			}
		}
	}
	if d.Width != 720 || d.Bottom < 60 || d.Bottom > 120 {
		t.Errorf("it is %g wide and ends at %g", d.Width, d.Bottom)
	}
	single := Page(736)
	single.Single = true
	if got := classes(Draw(hang(), single)); got["s-late"] != 3 || got["s-ok"] != 19 {
		t.Errorf("elements %v, want one for each attempt", got)
	}
}

// TestMarks: what differs in colour differs in form too.
func TestMarks(t *testing.T) {
	seen := map[string]Outcome{}
	for o := Succeeded; o <= NotEvaluated; o++ {
		p := &Picture{To: 10 * second, Groups: []Group{{Lanes: []Lane{{Name: "x", Attempts: []Attempt{{At: second, Outcome: o}}}}}}}
		for _, e := range Draw(p, Page(600)).Elements {
			if e.Class != o.class() {
				continue
			}
			if other, again := seen[e.Attributes[1]]; again && !(o == Failed && other == FailedYet) {
				t.Errorf("%v looks as %v does", o, other)
			}
			seen[e.Attributes[1]] = o
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d forms, want 5: a failure looks the same whether something follows from it or not", len(seen))
	}
	last := 0.0
	for _, share := range []float64{0, 0.03, 0.07, 0.15, 0.3, 0.5, 0.9} {
		if h := barHeight(share); h <= last {
			t.Errorf("an answer after %g of its timeout is %g high, not more than %g", share, h, last)
		}
		last = barHeight(share)
	}
}

// TestOpenEnd: what goes on has no edge where the picture ends.
func TestOpenEnd(t *testing.T) {
	for open, want := range map[bool]string{true: "path", false: "rect"} {
		p := &Picture{To: 10 * second, Groups: []Group{{Lanes: []Lane{{Spans: []Span{{second, 10 * second, open, Ready, "ready"}}}}}}}
		for _, e := range Draw(p, Page(600)).Elements {
			if e.Class == "l-ready" && e.Tag != want {
				t.Errorf("open %v is a %s, want a %s", open, e.Tag, want)
			}
		}
	}
}

func TestAxis(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 31, 0, time.UTC)
	for name, c := range map[string]struct {
		p    Picture
		want []string
	}{
		"offsets":  {Picture{To: 120 * second}, []string{"0 s", "20 s", "40 s", "1:00", "1:20", "1:40", "2:00"}},
		"a part":   {Picture{From: 41 * second, To: 101 * second}, []string{"50 s", "1:00", "1:10", "1:20", "1:30", "1:40"}},
		"the wall": {Picture{Start: noon, To: 5 * time.Minute}, []string{"12:01", "12:02", "12:03", "12:04", "12:05"}},
		"seconds":  {Picture{Start: noon, To: 30 * second}, []string{"12:00:35", "12:00:40", "12:00:45", "12:00:50", "12:00:55", "12:01:00"}},
		"a month":  {Picture{To: 30 * 24 * time.Hour}, []string{"0 s", "5 d", "10 d", "15 d", "20 d", "25 d", "30 d"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range Draw(&c.p, Page(720)).Elements {
				if e.Tag == "text" {
					got = append(got, e.Text)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestFit(t *testing.T) {
	if from, to := Page(736).Fit(0, 120*second, 60*second); from != 0 || to != 120*second {
		t.Errorf("a wide picture shows %v to %v", from, to)
	}
	for _, about := range []time.Duration{0, 60 * second, 120 * second} {
		from, to := Page(308).Fit(0, 120*second, about)
		if from < 0 || to > 120*second || to-from >= 80*second || to-from < 40*second || about < from || about > to {
			t.Errorf("a narrow picture about %v shows %v to %v", about, from, to)
		}
	}
}

func TestWords(t *testing.T) {
	p := hang()
	const want = "Draft: starting from 0 s, ready from 6 s, hang@60s from 1:00, not ready from 1:02, restart 1 at 1:10, ready from 1:20"
	if got := p.Sentence("Draft"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var rows []string
	for _, r := range p.Rows() {
		rows = append(rows, r.Time+" "+r.What)
	}
	wantRows := []string{
		"0 s state: starting", "3 s liveness: succeeded 19 times until 57 s", "6 s state: ready", "1:00 hang@60s begins",
		"1:01 liveness: timed out 3 times until 1:07, 3/3", "1:02 state: not ready", "1:10 hang@60s is over", "1:10 state: restart 1", "1:20 state: ready",
	}
	if strings.Join(rows, "\n") != strings.Join(wantRows, "\n") {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(wantRows, "\n"))
	}
	if got := (&Picture{}).Sentence("Draft"); got != "Draft: nothing happened" {
		t.Errorf("%q", got)
	}
	p.Start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if got := p.Rows()[3].Time; got != "12:01:00" {
		t.Errorf("%q", got)
	}
}

// TestHostileNames: what others wrote stays text.
func TestHostileNames(t *testing.T) {
	const bad = `"><script>x</script>&`
	p := hang()
	p.Groups[0].Name, p.Groups[0].Lanes[0].Name, p.Groups[0].Grounds[0].Word = bad, bad, bad
	d := xml.NewDecoder(strings.NewReader("<svg>" + Draw(p, Page(1600)).XML() + "</svg>"))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "script" {
			t.Error("a name became an element")
		}
	}
}

// TestMuch: a month of attempts is no more elements than there are pixels.
func TestMuch(t *testing.T) {
	p := &Picture{To: 30 * 24 * time.Hour, Groups: []Group{{Lanes: []Lane{{Name: "x"}}}}}
	l := &p.Groups[0].Lanes[0]
	for at := time.Duration(0); at < p.To; at += time.Minute {
		l.Attempts = append(l.Attempts, Attempt{At: at, Outcome: Outcome(int(at/time.Minute) % 2 * 4)})
		l.Spans = append(l.Spans, Span{at, at + time.Minute, false, State(at / time.Minute % 3), "x"})
	}
	if n := len(Draw(p, Page(1000)).XML()); n > 500_000 {
		t.Errorf("%d bytes", n)
	}
}
