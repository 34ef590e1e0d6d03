package trace

import (
	"strings"
	"testing"
)

// at builds a track: at("web/app#1 life", 0, "start", 3, "exit 1").
func at(name string, entries ...any) Track {
	t := Track{Name: name}
	for i := 0; i < len(entries); i += 2 {
		var seconds float64
		switch v := entries[i].(type) {
		case int:
			seconds = float64(v)
		case float64:
			seconds = v
		}
		t.Entries = append(t.Entries, Entry{seconds, entries[i+1].(string)})
	}
	return t
}

const (
	life  = "web/app#1 life"
	next  = "web/app#2 life"
	req   = "web/app#1 request /live"
	level = "web/app state ready"
)

func TestCompare(t *testing.T) {
	one := func(tracks ...Track) Trace { return Trace{Seconds: 20, Tracks: tracks} }
	failing := func(start float64, n int) Track {
		track := Track{Name: req}
		for i := range n {
			track.Entries = append(track.Entries, Entry{start + float64(i), "500"})
		}
		return track
	}
	refused := func(start float64, n int) Track {
		track := failing(start, n)
		track.Name = "web/app#1 Liveness"
		for i := range track.Entries {
			track.Entries[i].What = "failed: connection refused"
		}
		return track
	}
	looping := func(start float64) Trace {
		return one(at(life, 0, "start", 1, "exit 1"), at(next, start, "start"), at("web/app state waiting", 1.5, "CrashLoopBackOff back-off 3s restarting"))
	}
	for name, tt := range map[string]struct {
		a, b Trace
		want string // part of the first difference; empty means none
	}{
		"the same":         {one(at(life, 0, "start", 6, "exit 0"), failing(1, 3)), one(at(life, 0, "start", 6, "exit 0"), failing(1, 3)), ""},
		"another phase":    {one(at(life, 0, "start"), failing(0.5, 3)), one(at(life, 0, "start"), failing(2, 3)), ""},
		"too late a phase": {one(at(life, 0, "start"), failing(0.5, 3)), one(at(life, 0, "start"), failing(4, 3)), "begins 4.0 s"},
		"a probe too many": {one(failing(1, 3)), one(failing(1, 4)), "not in the reference"},
		"refused once more before it listened": {
			one(at(life, 0, "start", 4.5, "listen"), refused(1.8, 3)), one(at(life, 0, "start", 4.5, "listen"), refused(0.3, 5)), "",
		},
		"refused much earlier than the other": {
			one(at(life, 0, "start", 6.5, "listen"), refused(5.8, 1)), one(at(life, 0, "start", 6.5, "listen"), refused(0.3, 7)), "begins 0.3 s",
		},
		"refused once more until it was killed": {
			one(at(life, 0, "start", 8, "killed"), refused(1, 3)), one(at(life, 0, "start", 8, "killed"), refused(0.5, 4)), "not in the reference",
		},
		"refused after it listened": {
			one(at(life, 0, "start", 0.5, "listen"), refused(1, 3)), one(at(life, 0, "start", 0.5, "listen"), refused(0.6, 4)), "not in the reference",
		},
		"a probe too few":              {one(failing(1, 3)), one(failing(1, 2)), "is missing"},
		"one more near the end":        {one(failing(1, 18)), one(failing(0.5, 19)), ""},
		"another answer":               {one(at(req, 1, "200", 2, "500")), one(at(req, 1, "200", 2, "200")), `is "200"`},
		"another period":               {one(at(req, 1, "200", 2, "200")), one(at(req, 1, "200", 4, "200")), "3.0 s after the one before"},
		"a grace that is too long":     {one(at(life, 0, "start", 5, "SIGTERM", 7, "killed")), one(at(life, 0, "start", 5, "SIGTERM", 8, "killed")), "3.0 s are between"},
		"a level that came late":       {one(at(level, 0, "false", 1, "true")), one(at(level, 0, "false", 3.5, "true")), ""},
		"a level that came too late":   {one(at(level, 0, "false", 1, "true")), one(at(level, 0, "false", 6, "true")), "since 6.0 s"},
		"a short state":                {one(at(level, 0, "true")), one(at(level, 0, "true", 9, "false", 10, "true")), ""},
		"more than a short state":      {one(at(level, 0, "true")), one(at(level, 0, "true", 9, "false", 13, "true")), `"false" from 9.0 s on`},
		"a level that never came":      {one(at(level, 0, "false", 4, "true")), one(at(level, 0, "false")), `"true", in the reference`},
		"readiness out of turn":        {one(at("web/app#1 request /ready", 1, "503", 2, "200")), one(at("web/app#1 request /ready", 1, "503", 1.1, "503", 2, "200")), ""},
		"an Event too many":            {one(at("web/app events", 1, "Normal Killing x")), one(at("web/app events", 1, "Normal Killing x", 2, "Warning y")), "not in the reference"},
		"BackOff as often as you like": {one(at("web/app events", 1, "BackOff")), one(at("web/app events", 1, "BackOff", 4, "BackOff")), ""},
		"another order": {
			one(at(life, 0, "start", 5, "SIGTERM"), at("web/side#1 life", 0, "start", 8, "SIGTERM")),
			one(at(life, 0, "start", 8, "SIGTERM"), at("web/side#1 life", 0, "start", 5, "SIGTERM")), "is 3.0 s after",
		},
		"a slow restart":                    {one(at(life, 0, "start", 3, "exit 1"), at(next, 4, "start")), one(at(life, 0, "start", 3, "exit 1"), at(next, 9, "start")), "starts 6.0 s after the end"},
		"another random half of a back-off": {looping(5), looping(4), ""},
		"a back-off that is too long":       {looping(4), looping(13), "starts 12.0 s after the end"},
		"a back-off that was not kept": {
			looping(5), looping(2), "starts 1.0 s after the end",
		},
		"a probe of the dead": {
			one(at(life, 0, "start", 3, "exit 1"), at("web/app#1 Liveness", 3.5, "failed: connection refused")), one(at(life, 0, "start", 3, "exit 1")), "",
		},
		"a probe in the moment before the process listens": {
			one(at(life, 0, "start", 0.01, "listen"), at("web/app#1 Readiness", 0.05, "failed: connection refused")), one(at(life, 0, "start", 0.01, "listen")), "",
		},
		"a probe that is refused later": {
			one(at(life, 0, "start", 0.01, "listen"), at("web/app#1 Readiness", 0.5, "failed: connection refused")), one(at(life, 0, "start", 0.01, "listen")), "is missing",
		},
		"a liveness probe before the startup probe's success": {
			one(at(next, 5, "start"), at("web/app#2 request /start", 6, "200"), at("web/app#2 request /live", 5.2, "200", 7, "200")),
			one(at(next, 5, "start"), at("web/app#2 request /start", 6, "200"), at("web/app#2 request /live", 7, "200")), "",
		},
		"an init container that runs again late": {
			one(at("web/init#0 exec one", 1, "0", 4.2, "0")), one(at("web/init#0 exec one", 1, "0", 6.5, "0")), "",
		},
		"an init container that runs again too late": {
			one(at("web/init#0 exec one", 1, "0", 4.2, "0")), one(at("web/init#0 exec one", 1, "0", 9, "0")), "8.0 s after the one before",
		},
		"a probe just before a deletion": {
			one(failing(1, 3), at("web phase", 9, "gone"), at("web/app events", 4, "Normal Killing Stopping container app")),
			one(failing(1.5, 2), at("web phase", 9, "gone"), at("web/app events", 4, "Normal Killing Stopping container app")), "",
		},
		"a probe long before a deletion": {
			one(failing(1, 3), at("web phase", 9, "gone"), at("web/app events", 6, "Normal Killing Stopping container app")),
			one(failing(1, 2), at("web phase", 9, "gone"), at("web/app events", 6, "Normal Killing Stopping container app")), "is missing",
		},
		"readiness before startup, after a restart": {
			one(at("web/app#2 request /start", 5, "200"), at("web/app#2 request /ready", 4, "503", 6, "200")),
			one(at("web/app#2 request /start", 5, "200"), at("web/app#2 request /ready", 6, "200")), "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := Compare(tt.a, tt.b)
			switch {
			case tt.want == "" && len(found) > 0:
				t.Errorf("differences %v, want none", found)
			case tt.want != "" && (len(found) == 0 || !strings.Contains(found[0].What, tt.want)):
				t.Errorf("differences %v, want one with %q", found, tt.want)
			}
		})
	}
}

func TestTimeline(t *testing.T) {
	a := Trace{System: "Kubernetes", Seconds: 20, Tracks: []Track{at(req, 1, "200", 2, "500")}}
	b := Trace{System: "Probity", Seconds: 20, Tracks: []Track{at(req, 1.5, "200")}}
	got := Timeline(Compare(a, b), a, b)
	for _, want := range []string{"is missing", req + "  Kubernetes  Probity", "   1.00", "200\n", "   2.00"} {
		if !strings.Contains(got, want) {
			t.Errorf("timeline lacks %q:\n%s", want, got)
		}
	}
}
