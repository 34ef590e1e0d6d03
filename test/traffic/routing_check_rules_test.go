package traffic

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/test/load/generator"
)

// TestRoutingCheck makes sure that each kind of violation is found.
func TestRoutingCheck(t *testing.T) {
	const good = "0 start|5 probe /ready 200|10 begin GET a|20 end a|"
	for name, tt := range map[string]struct {
		logs []string
		sent map[string]int // milliseconds; by default when it began
		want string         // words of the only violation
	}{
		"good":                                 {[]string{good}, nil, ""},
		"before the first answer":              {[]string{"1 begin GET a|5 probe /ready 200|"}, nil, "before it was ready"},
		"never ready":                          {[]string{"1 begin GET a|5 probe /ready 503|"}, nil, "before it was ready"},
		"after two bad answers":                {[]string{good + "30 probe /ready 503|40 probe /ready 503|400 begin GET b|"}, nil, ""},
		"after three":                          {[]string{good + "30 probe /ready 503|40 probe /ready 503|50 probe /ready 503|400 begin GET b|"}, nil, "after the deciding answer"},
		"after three, sent before":             {[]string{good + "30 probe /ready 503|40 probe /ready 503|50 probe /ready 503|400 begin GET b|"}, map[string]int{"b": 45}, ""},
		"after three, and ready again":         {[]string{good + "30 probe /ready 503|40 probe /ready 503|50 probe /ready 503|60 probe /ready 200|400 begin GET b|"}, nil, ""},
		"after three, held until ready again":  {[]string{good + "30 probe /ready 503|40 probe /ready 503|50 probe /ready 503|400 probe /ready 200|410 begin GET b|"}, map[string]int{"b": 390}, ""},
		"after SIGTERM":                        {[]string{good + "30 SIGTERM|40 begin POST b|"}, nil, "after SIGTERM"},
		"on its way at SIGTERM":                {[]string{good + "30 SIGTERM|40 begin POST b|"}, map[string]int{"b": 29}, ""},
		"a GET twice, the first was answered":  {[]string{good, good}, nil, "GET a came to 1 and to 2"},
		"a GET twice, the first was not":       {[]string{"1 probe /ready 200|2 begin GET a|", good}, nil, ""},
		"a POST twice, the first was not done": {[]string{"1 probe /ready 200|2 begin POST a|", "1 probe /ready 200|9 begin POST a|10 end a|"}, nil, "POST a came to 1 and to 2"},
	} {
		t.Run(name, func(t *testing.T) {
			v := routingCheck{sent: map[string]time.Time{}, slack: 100 * time.Millisecond}
			for i, text := range tt.logs {
				v.logs = append(v.logs, processLogOf(t, i+1, text, v.sent))
			}
			for id, at := range tt.sent {
				v.sent[id] = time.UnixMilli(int64(at))
			}
			wrong := v.violations()
			if tt.want == "" && len(wrong) > 0 || tt.want != "" && (len(wrong) != 1 || !strings.Contains(wrong[0], tt.want)) {
				t.Errorf("violations %q, want %q", wrong, tt.want)
			}
		})
	}
}

// processLogOf reads "MILLISECONDS WHAT…|…" and notes the requests in it as sent when they began.
func processLogOf(t *testing.T, pid int, text string, sent map[string]time.Time) processLog {
	t.Helper()
	var lines strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "|"), "|") {
		ms, rest, _ := strings.Cut(line, " ")
		fmt.Fprintf(&lines, "%s000 %s\n", ms, rest)
	}
	l, err := parseProcessLog(fmt.Sprint(pid), lines.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range l.entries {
		if e.what == "begin" {
			sent[e.words[1]] = e.at
		}
	}
	return l
}

// TestLastAfter measures from the deciding answer, not from the first bad one.
func TestLastAfter(t *testing.T) {
	l := processLogOf(t, 1, "1 probe /ready 200|10 probe /ready 503|20 probe /ready 503|30 probe /ready 503|37 begin GET a|90 probe /ready 200|95 begin GET b|", map[string]time.Time{})
	if worst, decisions := lastWhileNotReady([]processLog{l}); worst != 7*time.Millisecond || decisions != 1 {
		t.Errorf("%v after %d decisions, want 7ms after one", worst, decisions)
	}
}

// TestMayHaveBeenSent allows a lost POST only if nobody but the killed process can have got it.
func TestMayHaveBeenSent(t *testing.T) {
	sent := map[string]time.Time{}
	logs := []processLog{processLogOf(t, 1, "1 begin POST dead|", sent), processLogOf(t, 2, "1 begin POST alive|", sent)}
	r := &rig{killed: map[int]time.Time{1: time.UnixMilli(50)}, reachableFor: 10 * time.Millisecond}
	for name, tt := range map[string]struct {
		method, id string
		sent, took int64
		want       bool
	}{
		"the killed one got it":         {"POST", "dead", 0, 51, true},
		"nobody got it":                 {"POST", "none", 40, 20, true},
		"a GET":                         {"GET", "dead", 0, 51, false},
		"another one got it":            {"POST", "alive", 0, 51, false},
		"it was over before the kill":   {"POST", "dead", 0, 20, false},
		"it was sent long after a kill": {"POST", "none", 70, 20, false},
	} {
		q := generator.Request{Method: tt.method, ID: tt.id, Sent: time.UnixMilli(tt.sent), Took: time.Duration(tt.took) * time.Millisecond}
		if got := r.maybeLostWithProcess(logs, q); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
