package live

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/terminal/screen"
)

var pausedLog = screen.Wants{Log: "u1", Paused: true}

// numbers are those of the lines that a program printed.
func numbers(t *testing.T, lines []screen.LogLine) []int {
	t.Helper()
	var all []int
	for _, l := range lines {
		if l.Kind == screen.Printed {
			word, _, _ := strings.Cut(textOf(l), " ")
			n, err := strconv.Atoi(word)
			if err != nil {
				t.Fatalf("a line is %q", textOf(l))
			}
			all = append(all, n)
		}
	}
	return all
}

// checkWindow sees to it that lines are loaded in a row, without one that is missing or twice, not
// too many of them, and that their numbers rise. It returns the first and the last.
func checkWindow(t *testing.T, log *screen.Log) (first, last int) {
	t.Helper()
	if log.Err != "" {
		t.Fatal(log.Err)
	}
	all := numbers(t, log.Lines)
	if len(all) == 0 || len(log.Lines) > maxLines || memoryOf(log.Lines) > maxBytes {
		t.Fatalf("%d lines are loaded, with %d bytes", len(all), memoryOf(log.Lines))
	}
	for i := range all {
		if all[i] != all[0]+i {
			t.Fatalf("line %d comes after %d", all[i], all[i-1])
		}
	}
	for i := 1; i < len(log.Lines); i++ {
		if log.Lines[i].Seq != log.Lines[i-1].Seq+1 || log.Lines[i].At.Before(log.Lines[i-1].At) {
			t.Fatalf("line %d at %v comes after line %d at %v", log.Lines[i].Seq, log.Lines[i].At, log.Lines[i-1].Seq, log.Lines[i-1].At)
		}
	}
	return all[0], all[len(all)-1]
}

// rotatedLog is what a container printed whose files were rotated several times: text of about 100
// bytes a line.
func rotatedLog(t *testing.T, files, lines int) *writtenLog {
	w := &writtenLog{dir: t.TempDir()}
	for n := range files {
		if n > 0 {
			for i := n - 1; i >= 0; i-- {
				from := w.path(0)
				if i > 0 {
					from += fmt.Sprint(".", i)
				}
				if err := os.Rename(from, fmt.Sprint(w.path(0), ".", i+1)); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.write(t, 0, lines, " "+strings.Repeat("x", 60))
	}
	return w
}

// TestScrollBack: whoever goes back sees every line of every file, and so does who goes on from
// there to the end.
func TestScrollBack(t *testing.T) {
	w := rotatedLog(t, 5, 8000)
	h := logOf(t, w)
	var r logReader
	defer r.close()
	log := r.read(h, wantLog)
	first, last := checkWindow(t, log)
	if !log.Older || log.Newer || last != w.lines {
		t.Fatalf("lines %d to %d are loaded, older %v, newer %v", first, last, log.Older, log.Newer)
	}
	r.read(h, pausedLog)
	for log.Older {
		before := first
		if r.older(h); log.Older {
			if first, _ = checkWindow(t, log); first >= before {
				t.Fatalf("the first line is %d, and was %d", first, before)
			}
		}
	}
	if first, _ := checkWindow(t, log); first != 1 || !log.Newer {
		t.Errorf("the first line is %d, newer %v", first, log.Newer)
	}
	for r.newer(h) {
		checkWindow(t, log)
	}
	if _, last := checkWindow(t, log); last != w.lines || !log.Older {
		t.Errorf("the last line is %d, older %v", last, log.Older)
	}
	log = r.read(h, wantLog) // somebody follows
	if _, last := checkWindow(t, log); last != w.lines || log.Newer {
		t.Errorf("the last line is %d, newer %v", last, log.Newer)
	}
}

// TestWindow: whatever somebody does, and the program, the lines that are loaded are in a row.
func TestWindow(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := rotatedLog(t, 3, 3000)
			h := logOf(t, w)
			random := rand.New(rand.NewPCG(seed, 0))
			var r logReader
			defer r.close()
			r.read(h, wantLog)
			for range 40 {
				switch random.IntN(8) {
				case 0, 1:
					r.older(h)
				case 2:
					r.newer(h)
				case 3:
					r.read(h, pausedLog)
				case 4:
					r.read(h, wantLog)
				case 5:
					w.write(t, 0, random.IntN(1500), " "+strings.Repeat("y", random.IntN(2000)))
				case 6:
					r.oldest(h)
				case 7:
					if s := r.search(h, fmt.Sprint(1+random.IntN(9000), " "), random.IntN(2) == 0, true); s != nil {
						if seq, says := r.searched(h, s.run(t.Context(), searchBytes)); says == "" {
							if n := numbers(t, r.log.Lines[seq-r.log.Lines[0].Seq:])[0]; !strings.HasSuffix(fmt.Sprint(n, " "), s.text) {
								t.Fatalf("the search for %q has found line %d", s.text, n)
							}
						}
					}
				}
				checkWindow(t, r.log)
			}
		})
	}
}

// TestTwoLogs: the lines of two Pods, and the attempts of their probes, are in the order of time on
// both sides of what was loaded first.
func TestTwoLogs(t *testing.T) {
	one, two := &writtenLog{dir: t.TempDir()}, &writtenLog{dir: t.TempDir()}
	h := logOf(t, one)
	h.run.OpenLog = func(pod *corev1.Pod, _ string, instance int) *process.LogReader {
		if pod.UID == "u2" {
			return process.OpenLogReader(two.dir, instance)
		}
		return process.OpenLogReader(one.dir, instance)
	}
	other := webPod()
	other.Name, other.UID = "web-5d8f-other", "u2"
	h.show(watch.Added, other)
	var recorder history.Recorder
	past := recorder.Add("u1")
	probe := past.Probe(history.Key{Container: "app", Type: "Readiness"}, history.Probing{FailureThreshold: 3})
	h.run.History = recorder.Reader()
	for n := range 30_000 { // one of them is quiet
		switch two.lines = n; {
		case n%1000 == 500:
			two.write(t, 0, 1, "")
		case n%100 == 0:
			one.lines = n
			one.write(t, 0, 100, " "+strings.Repeat("x", 60))
		}
	}
	begin := time.Date(2026, 11, 4, 12, 0, 0, 0, time.UTC)
	for i := range 25 {
		past.Attempt(probe, history.Attempt{Time: begin.Add(time.Duration(i) * time.Microsecond), Outcome: history.Answered}, history.Detail{})
	}
	var r logReader
	defer r.close()
	all := screen.Wants{Log: "u1", All: true}
	log := r.read(h, all)
	all.Paused = true
	seen := map[string]bool{}
	note := func() {
		for i, l := range log.Lines {
			if i > 0 && l.At.Before(log.Lines[i-1].At) {
				t.Fatalf("%q at %v comes after %q at %v", textOf(l), l.At, textOf(log.Lines[i-1]), log.Lines[i-1].At)
			}
			seen[l.From+textOf(l)+l.At.String()] = true
		}
	}
	note()
	for r.read(h, all); log.Older; note() {
		r.older(h)
	}
	if want := 27_000 + 30 + 25; len(seen) != want {
		t.Errorf("%d lines were seen, want %d", len(seen), want)
	}
}

// TestSearch: a search goes back through files that a log has rotated itself, so many bytes a key,
// and on from there.
func TestSearch(t *testing.T) {
	dir := t.TempDir()
	written, err := new(process.Logs).Open(process.LogOptions{Dir: dir, MaxSize: 1 << 20, MaxFiles: 5})
	if err != nil {
		t.Fatal(err)
	}
	const lines = 30_000
	for n := range lines {
		text := fmt.Sprintf("%d %s\n", n+1, strings.Repeat("x", 60))
		if n == 12_345 {
			text = fmt.Sprintf("%d a \x1b[31mNeed\x1b[0mle\n", n+1)
		}
		if _, err := written.Stdout().WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := written.Close(); err != nil {
		t.Fatal(err)
	}
	if files, err := process.LogFiles(dir, 0); err != nil || len(files) < 3 {
		t.Fatalf("there are the files %v: %v", files, err)
	}
	h := logOf(t, &writtenLog{dir: dir})
	var r logReader
	defer r.close()
	log := r.read(h, wantLog)
	r.read(h, pausedLog)
	const most = 256 << 10
	keys := 0
	for {
		search := r.search(h, "needle", true, true)
		if r.search(h, "needle", true, true) != nil {
			t.Fatal("two searches at a time")
		}
		keys++
		seq, says := r.searched(h, search.run(t.Context(), most))
		if says == "" {
			if found := textOf(log.Lines[seq-log.Lines[0].Seq]); found != "12346 a Needle" {
				t.Errorf("found %q", found)
			}
			break
		}
		if !strings.HasPrefix(says, "no match of /needle back to ") || !strings.HasSuffix(says, "; N searches on") {
			t.Fatalf("after %d keys it says %q", keys, says)
		}
	}
	if keys < 4 || keys > 10 {
		t.Errorf("it takes %d keys", keys)
	}
	first, last := checkWindow(t, log)
	if first > 12_346 || last < 12_346 || !log.Newer {
		t.Errorf("lines %d to %d are loaded, newer %v", first, last, log.Newer)
	}
	if _, says := r.searched(h, r.search(h, "needle", true, true).run(t.Context(), searchBytes)); says != "no more matches of /needle" {
		t.Errorf("at the beginning it says %q", says)
	}
	seq, says := r.searched(h, r.search(h, "29999 ", false, true).run(t.Context(), searchBytes))
	if says != "" || !strings.HasPrefix(textOf(log.Lines[seq-log.Lines[0].Seq]), "29999 ") {
		t.Errorf("forward it says %q", says)
	}
	checkWindow(t, log)
}

// TestGoneLog: what was rotated away while somebody read it is not there, and what is kept is.
func TestGoneLog(t *testing.T) {
	w := rotatedLog(t, 4, 8000)
	h := logOf(t, w)
	var r logReader
	defer r.close()
	r.read(h, wantLog)
	r.oldest(h)
	if first, _ := checkWindow(t, r.log); first != 1 {
		t.Fatalf("the first line is %d", first)
	}
	for n := 1; n < 4; n++ {
		if err := os.Remove(fmt.Sprint(w.path(0), ".", n)); err != nil {
			t.Fatal(err)
		}
	}
	r.newer(h)
	all := numbers(t, r.log.Lines)
	if last := all[len(all)-1]; last <= 24_000 {
		t.Errorf("the last line is %d, want one of the file that is kept", last)
	}
	if r.log.Err != "" {
		t.Error(r.log.Err)
	}
}

// TestPausedLog: what somebody reads at leisure stays, however much is printed meanwhile.
func TestPausedLog(t *testing.T) {
	w := &writtenLog{dir: t.TempDir()}
	w.write(t, 0, 100, "")
	h := logOf(t, w)
	var r logReader
	defer r.close()
	log := r.read(h, wantLog)
	for range 50 {
		w.write(t, 0, 1000, "")
		r.read(h, pausedLog)
		if first, _ := checkWindow(t, log); first != 1 {
			t.Fatalf("the first line is %d", first)
		}
	}
	if !log.Newer {
		t.Error("all of it is loaded")
	}
	if _, last := checkWindow(t, r.read(h, wantLog)); last != w.lines {
		t.Errorf("the last line is %d of %d", last, w.lines)
	}
}

// TestMatcher: what is shown of a line is searched, not what stands in the file.
func TestMatcher(t *testing.T) {
	for _, test := range []struct {
		search, line string
		want         bool
	}{
		{"error", "An ERROR occurred", true}, {"ERROR", "an error", true}, {"error", "\x1b[31mer\x1b[0mror", true}, {"31m", "\x1b[31mred", false},
		{"größe", "GRÖSSE Größe", true}, {"a b", "a\tb", true}, {"x", "", false}, {"end", strings.Repeat("x", maxText) + "end", false},
	} {
		if got := matcher(test.search)([]byte(test.line)); got != test.want {
			t.Errorf("%q in %q: %v", test.search, test.line, got)
		}
	}
}

// BenchmarkSearch is what a key of a search costs that finds nothing.
func BenchmarkSearch(b *testing.B) {
	w := &writtenLog{dir: b.TempDir()}
	var text strings.Builder
	for n := range 160_000 {
		fmt.Fprintf(&text, "2026-11-04T12:00:00.%09dZ stdout F %d %s\n", n, n, strings.Repeat("x", 60))
	}
	if err := os.WriteFile(w.path(0), []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	source := &logSource{id: logID{containerID{"u1", "app"}, 0}, number: 1, open: func() *process.LogReader { return process.OpenLogReader(w.dir, 0) }}
	end := source.open()
	if err := end.SeekEnd(); err != nil {
		b.Fatal(err)
	}
	search := logSearch{text: "needle", back: true, sources: []*logSource{source}, from: place{source.id: end.Position()}}
	b.SetBytes(searchBytes)
	for b.Loop() {
		if result := search.run(b.Context(), searchBytes); result.err != nil {
			b.Fatal(result.err)
		}
	}
}

// TestStaleSearch: what is found in a log at which nobody looks any more changes nothing.
func TestStaleSearch(t *testing.T) {
	w := rotatedLog(t, 2, 8000)
	m, _ := testModel(t, logOf(t, w))
	m.gather()
	m.view.Frame(m.state, 80, 24, screen.Plain())
	m.key("l")
	search := m.log.search(m.hub, "77 ", true, true)
	found := search.run(t.Context(), searchBytes)
	m.key("esc")
	m.key("l")
	m.log.begin(screen.Wants{Log: "u1"})
	m.gather()
	before := m.log.log.Lines[0].Seq
	m.Update(found)
	if m.log.apart != nil || m.log.log.Lines[0].Seq != before {
		t.Error("it is shown")
	}
	m.log.searching = search
	m.Update(found)
	if m.log.apart == nil {
		t.Error("the same of this log is not shown")
	}
}
