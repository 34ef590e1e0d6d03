package tune

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// A series is held against what the probes ask now.
func TestAsked(t *testing.T) {
	livez, readyz := Request{Text: "GET :http/livez"}, Request{Text: "GET :http/readyz"}
	for name, c := range map[string]struct {
		asks map[string]Request
		want [2][]string // the probes of /livez and of /readyz
		note string
	}{
		"as it was measured":    {map[string]Request{"startup": livez, "readiness": readyz, "liveness": livez}, [2][]string{{"startup", "liveness"}, {"readiness"}}, ""},
		"without a startup":     {map[string]Request{"readiness": readyz, "liveness": livez}, [2][]string{{"liveness"}, {"readiness"}}, ""},
		"liveness asks another": {map[string]Request{"liveness": {Text: "GET :http/healthz"}}, [2][]string{}, "The liveness probe asks GET :http/healthz, and what was measured for it is GET :http/livez"},
		"each asks the other's": {map[string]Request{"readiness": livez, "liveness": readyz}, [2][]string{{"readiness"}, {"liveness"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := served()
			now, notes := before.Asked(c.asks)
			for i, want := range c.want {
				if got := now.Endpoints[i].Probes; !slices.Equal(got, want) {
					t.Errorf("%s is asked by %v, want %v", now.Endpoints[i].words(), got, want)
				}
			}
			if got := strings.Join(notes, " "); !strings.HasPrefix(got, c.note) || (got == "") != (c.note == "") {
				t.Errorf("notes %q, want %q", got, c.note)
			}
			if len(before.Endpoints[0].Probes) != 2 {
				t.Error("what was measured has changed")
			}
		})
	}
}

// A command of several lines is the same as it is written, in a series that was just measured, and
// on one line, in that of a file, however often that was written.
func TestAskedOfSeveralLines(t *testing.T) {
	for name, command := range map[string]string{
		"short": "exec sh -c test -e up\n\ttest ! -e down", "long": "exec sh -c " + strings.Repeat("test -e ü\n", 200),
	} {
		t.Run(name, func(t *testing.T) {
			s := &Series{Schema: Schema, Containers: []Container{*served()}}
			s.Containers[0].Endpoints[0].Text = command
			for _, what := range []string{"just measured", "read", "read again"} {
				now, notes := s.Containers[0].Asked(map[string]Request{"liveness": {Text: command}})
				if len(notes) > 0 || now.Endpoint("liveness") == nil {
					t.Errorf("%s: it is not what was measured: %q", what, notes)
				}
				var file bytes.Buffer
				if err := s.Write(&file); err != nil {
					t.Fatal(err)
				}
				var err error
				if s, err = Read(&file); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// The stalls of readiness promise nothing of liveness, of which nothing was measured.
func TestNothingOfLiveness(t *testing.T) {
	c := served()
	c.Endpoints = c.Endpoints[1:]
	a := Recommend(c, now(), Objectives{})
	if p := promiseOf(a, "false-restarts"); a.Choice("liveness") != nil || p.Text != "" || a.Measured.Hours != 0 {
		t.Errorf("liveness %+v, promised %+v", a.Choice("liveness"), p)
	}
}

func TestSameStart(t *testing.T) {
	one, two := example(), example()
	if s, ok := SameStart(one, two); !ok || s != 1.5 {
		t.Errorf("a file and itself have the start %v in common (%v), want 1.5", s, ok)
	}
	two.Containers[0].Starts = []Start{{1.5, Together}, {1.6, Alone}}
	if s, ok := SameStart(one, two); ok {
		t.Errorf("different measurements have the start %v in common", s)
	}
}
