package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/history"
)

// TestSpans: colours become classes, every other thing that a terminal obeys is left out, and what
// hides or turns letters is shown.
func TestSpans(t *testing.T) {
	for line, want := range map[string][]span{
		"":                                 nil,
		"plain":                            {{"", "plain"}},
		"\x1b[31mred\x1b[0m plain":         {{"a1", "red"}, {"", " plain"}},
		"\x1b[1;4;92mx\x1b[22my\x1b[24mz":  {{"a10 bo un", "x"}, {"a10 un", "y"}, {"a10", "z"}},
		"\x1b[7;33;44mx":                   {{"a4 b3", "x"}},
		"\x1b[38;5;196mx\x1b[39my":         {{"a9", "x"}, {"", "y"}},
		"\x1b[38;2;0;128;0mx":              {{"a2", "x"}},
		"\x1b[48;5;21;1mx":                 {{"b12 bo", "x"}},
		"\x1b[2J\x1b[Hx\x1b[?25l":          {{"", "x"}},
		"\x1b]8;;javascript:alert(1)\x07x": {{"", "x"}},
		"\x1b]0;title\x1b\\x":              {{"", "x"}},
		"\x1b]no end":                      nil,
		"a\x1b":                            {{"", "a"}},
		"a\x1b[31":                         {{"", "a"}, {"", "31"}},
		"\x1bcx":                           {{"", "x"}},
		"a\u202eb\x00c\u009bd":             {{"", `a\u202eb\u0000c\u009bd`}},
		"<b>x</b>":                         {{"", "<b>x</b>"}},
	} {
		if diff := cmp.Diff(want, spansOf([]byte(line)), cmp.AllowUnexported(span{})); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
	}
}

func FuzzSpans(f *testing.F) {
	f.Add([]byte("\x1b[31mred\x1b]8;;x\x07"))
	f.Fuzz(func(t *testing.T, line []byte) {
		for _, s := range spansOf(line) {
			if strings.ContainsAny(s.text, "\x1b\x07\u202e\n") || strings.Trim(s.class, "abonu0123456789 ") != "" {
				t.Errorf("%q: %q", line, s)
			}
		}
	})
}

func TestLevels(t *testing.T) {
	for line, want := range map[string]string{
		"ERROR x": "E", "2026 [warn] x": "W", "WARNING: x": "W", "level=info msg=x": "I", "TERROR": "", "errors": "", "debug: x": "D", "x": "", "panic: y": "E",
	} {
		if got := levelOf([]byte(line)); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// writeLog writes a log as the node does, a line each second before noon.
func (f *fixture) writeLog(t *testing.T, lines ...string) {
	t.Helper()
	var all strings.Builder
	for i, line := range lines {
		at := noon.Add(time.Duration(i-len(lines)) * time.Second)
		fmt.Fprintf(&all, "%s stdout F %s\n", at.Format("2006-01-02T15:04:05.000000000Z07:00"), line)
	}
	if err := os.WriteFile(filepath.Join(f.runner.logs, "0.log"), []byte(all.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// texts are the lines of a batch.
func texts(lines []logLine) (all []string) {
	for _, l := range lines {
		all = append(all, strings.Join(l.Spans[1:2], ""))
	}
	return all
}

// TestLogLines: the end comes first, older lines on demand, and no line twice.
func TestLogLines(t *testing.T) {
	f := newFixture(t)
	f.pod(t, "web")
	var lines []string
	for n := range 1234 {
		lines = append(lines, fmt.Sprintf("line %d", n))
	}
	f.writeLog(t, lines...)
	var got []string
	for before, have := int64(0), 0; ; have = 1 {
		w := f.ask(http.MethodGet, fmt.Sprintf("/ui/logs/lines?pod=default/web&before=%d&have=%d", before, have))
		var batch logBatch
		if err := json.Unmarshal(w.Body.Bytes(), &batch); err != nil {
			t.Fatalf("%v: %.200s", err, w.Body)
		}
		if len(batch.Lines) > firstLines {
			t.Errorf("%d lines at a time", len(batch.Lines))
		}
		got = append(texts(batch.Lines), got...)
		if !batch.More || len(batch.Lines) == 0 {
			break
		}
		before = batch.Lines[0].At
	}
	if diff := cmp.Diff(lines, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLogFilter: what is looked for is found on the server, however long ago it was.
func TestLogFilter(t *testing.T) {
	f := newFixture(t)
	f.pod(t, "web")
	lines := []string{"ERROR the first", "info: \"GET /readyz\" kube-probe/1.36"}
	for n := range 900 {
		lines = append(lines, fmt.Sprintf("DEBUG line %d", n))
	}
	f.writeLog(t, lines...)
	for query, want := range map[string]string{
		"q=THE+first": "ERROR the first", "q=/^error+.*t$/": "ERROR the first", "level=E": "ERROR the first", "q=line+899": "DEBUG line 899",
		"level=I&requests=off": "ERROR the first", "q=nowhere": "", "stream=stderr": "",
	} {
		w := f.ask(http.MethodGet, "/ui/logs/lines?pod=default/web&probes=off&"+query)
		var batch logBatch
		if err := json.Unmarshal(w.Body.Bytes(), &batch); err != nil {
			t.Fatalf("%v: %.200s", err, w.Body)
		}
		if got := strings.Join(texts(batch.Lines), "\n"); got != want || batch.Error != "" {
			t.Errorf("%s: %q %s, want %q", query, got, batch.Error, want)
		}
	}
	if w := f.ask(http.MethodGet, "/ui/logs/lines?pod=default/web&q=/(/"); !strings.Contains(w.Body.String(), "cannot look for") {
		t.Errorf("a broken expression: %s", w.Body)
	}
}

// TestDownload: a log as the program printed it, under a name that is one.
func TestDownload(t *testing.T) {
	f := newFixture(t)
	f.pod(t, "web")
	f.writeLog(t, "\x1b[31mred\x1b[0m", "<b>")
	w := f.ask(http.MethodGet, "/ui/logs/download?pod=default/web")
	if w.Body.String() != "\x1b[31mred\x1b[0m\n<b>\n" || w.Header().Get("Content-Disposition") != `attachment; filename="web.app.0.log"` {
		t.Errorf("%q, %v", w.Body, w.Header())
	}
	if kind := w.Header().Get("Content-Type"); kind != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type: %s", kind)
	}
	if w := f.ask(http.MethodGet, "/ui/logs/download?pod=default/none"); w.Code != http.StatusNotFound {
		t.Errorf("of none: %d", w.Code)
	}
}

// TestFollow: what is printed after the lines that are known comes once.
func TestFollow(t *testing.T) {
	f := newFixture(t)
	f.pod(t, "web")
	f.writeLog(t, "one", "two", "three")
	q, err := readLogsQuery(f.request("/ui/logs/stream?pod=default/web&probes=off"))
	if err != nil {
		t.Fatal(err)
	}
	follower := &logFollower{server: f.Server, query: q, after: noon.Add(-2 * time.Second), have: 1, open: map[string]*followed{}}
	defer follower.close()
	lines, dropped, err := follower.read()
	if err != nil || dropped > 0 || cmp.Diff([]string{"three"}, texts(lines)) != "" {
		t.Errorf("%q, %d dropped, %v", texts(lines), dropped, err)
	}
	if lines, _, err := follower.read(); err != nil || len(lines) > 0 {
		t.Errorf("again: %q, %v", texts(lines), err)
	}
}

// TestFollowProbes: an attempt is told when it has ended, however long ago it began, and once; also
// one of an instance that the Pod does not tell yet.
func TestFollowProbes(t *testing.T) {
	f := newFixture(t)
	pod := f.pod(t, "web")
	f.writeLog(t, "one", "two")
	past := f.recorder.Add(pod.UID)
	probing := history.Probing{SuccessThreshold: 1, FailureThreshold: 3}
	liveness, readiness := past.Probe(history.Key{Container: "app", Type: "Liveness"}, probing), past.Probe(history.Key{Container: "app", Type: "Readiness"}, probing)
	attempt := func(probe *history.Probe, ago, took time.Duration, outcome history.Outcome, instance int) {
		past.Attempt(probe, history.Attempt{Time: noon.Add(-ago), Took: took, Outcome: outcome, Instance: instance, Run: 1, Failing: true}, history.Detail{})
	}
	attempt(readiness, 4*time.Second, time.Millisecond, history.Answered, 0)
	attempt(liveness, 3*time.Second, time.Second, history.Answered, 0)          // known: it ended before the last line
	attempt(readiness, 1500*time.Millisecond, time.Second, history.TimedOut, 0) // under way when that came
	q, err := readLogsQuery(f.request("/ui/logs/stream?pod=default/web"))
	if err != nil {
		t.Fatal(err)
	}
	follower := &logFollower{server: f.Server, query: q, after: noon.Add(-time.Second), have: 1, open: map[string]*followed{}}
	defer follower.close()
	told := func(want ...string) {
		t.Helper()
		lines, _, err := follower.read()
		var got []string
		for _, l := range lines {
			got = append(got, fmt.Sprint(noon.Sub(l.time), " ", l.Kind, " ", l.Bad))
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	told("1.5s probe true")
	told()
	attempt(readiness, 300*time.Millisecond, time.Millisecond, history.Answered, 0)
	told("300ms probe false")
	attempt(liveness, 2*time.Second, 5*time.Second, history.TimedOut, 0)
	told("2s probe true")
	attempt(liveness, 100*time.Millisecond, time.Millisecond, history.Answered, 1)
	told("100ms probe false")
	told()
}

// TestTooManyLines: of a program that prints faster than anybody reads, the last lines come, and
// how many did not.
func TestTooManyLines(t *testing.T) {
	f := newFixture(t)
	f.pod(t, "web")
	f.writeLog(t, strings.Split(strings.Repeat("x\n", 3*maxBeat), "\n")...)
	q, err := readLogsQuery(f.request("/ui/logs/stream?pod=default/web&probes=off"))
	if err != nil {
		t.Fatal(err)
	}
	follower := &logFollower{server: f.Server, query: q, after: time.UnixMicro(0), open: map[string]*followed{}}
	defer follower.close()
	lines, dropped, err := follower.read()
	if err != nil || len(lines) != maxBeat || dropped != 2*maxBeat+1 {
		t.Errorf("%d lines, %d dropped, %v", len(lines), dropped, err)
	}
}

func (f *fixture) request(path string) *http.Request {
	r, err := http.NewRequest(http.MethodGet, "http://"+host+path, nil)
	if err != nil {
		panic(err) // the paths of these tests are ones
	}
	return r
}

// TestLogProbes: attempts stand between the lines of a Pod, and with a filter if somebody asks for
// them; with that for what is wrong, those that failed.
func TestLogProbes(t *testing.T) {
	f := newFixture(t)
	pod := f.pod(t, "web")
	f.writeLog(t, "ERROR one", "two")
	past := f.recorder.Add(pod.UID)
	probe := past.Probe(history.Key{Container: "app", Type: "Liveness"}, history.Probing{SuccessThreshold: 1, FailureThreshold: 3})
	past.Attempt(probe, history.Attempt{Time: noon.Add(-1500 * time.Millisecond), Took: time.Millisecond, Result: history.Passing}, history.Detail{Status: 200})
	past.Attempt(probe, history.Attempt{Time: noon.Add(-time.Millisecond), Took: time.Millisecond, Outcome: history.Failed, Message: "HTTP probe failed with statuscode: 503", Run: 1, Failing: true}, history.Detail{Status: 503})
	for query, want := range map[string]string{
		"":                    "ERROR one|probe|two|probe failed",
		"&probes=off":         "ERROR one|two",
		"&q=one":              "ERROR one",
		"&q=one&probes=on":    "ERROR one|probe|probe failed",
		"&level=E":            "ERROR one",
		"&level=E&probes=on":  "ERROR one|probe failed",
		"&stream=stderr":      "",
		"&stream=stdout&q=tw": "two",
	} {
		w := f.ask(http.MethodGet, "/ui/logs/lines?pod=default/web"+query)
		var batch logBatch
		if err := json.Unmarshal(w.Body.Bytes(), &batch); err != nil {
			t.Fatalf("%v: %.200s", err, w.Body)
		}
		var got []string
		for _, l := range batch.Lines {
			switch {
			case l.Kind == "probe" && l.Bad:
				got = append(got, "probe failed")
			case l.Kind == "probe":
				got = append(got, "probe")
			default:
				got = append(got, l.Spans[1])
			}
		}
		if said := strings.Join(got, "|"); said != want {
			t.Errorf("%q: %s, want %s", query, said, want)
		}
	}
	page := f.ask(http.MethodGet, "/ui/logs?pod=default/web&stream=stderr&probes=on").Body.String()
	for _, want := range []string{`<option value="stderr" selected>`, `aria-pressed="true" role="button">Probes`, `probes=off&amp;stream=stderr`, `id="announce"`} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "probes=off&amp;", "")) {
			t.Errorf("the page is without %s", want)
		}
	}
}
