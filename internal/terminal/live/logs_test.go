package live

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// writtenLog is the folder of a container's log, of which lines are written with numbers.
type writtenLog struct {
	dir   string
	lines int
}

// write appends lines with a text to the file of an instance.
func (w *writtenLog) write(t *testing.T, instance, lines int, text string) {
	t.Helper()
	f, err := os.OpenFile(w.path(instance), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b strings.Builder
	for range lines {
		w.lines++
		fmt.Fprintf(&b, "2026-11-04T12:00:00.%09dZ stdout F %d%s\n", w.lines, w.lines, text)
	}
	if _, err := f.WriteString(b.String()); err != nil {
		t.Fatal(err)
	}
}

func (w *writtenLog) path(instance int) string {
	return filepath.Join(w.dir, fmt.Sprint(instance, ".log"))
}

func (w *writtenLog) rotate(t *testing.T, instance int) {
	t.Helper()
	if err := os.Rename(w.path(instance), w.path(instance)+".1"); err != nil {
		t.Fatal(err)
	}
}

// logOf is a hub with a Pod whose container has this log.
func logOf(t *testing.T, w *writtenLog) *hub {
	h := filled(t)
	h.run.OpenLog = func(_ *corev1.Pod, _ string, instance int) *process.LogReader {
		return process.OpenLogReader(w.dir, instance)
	}
	var recorder history.Recorder
	h.run.History = recorder.Reader()
	return h
}

func textOf(l screen.LogLine) string {
	var text strings.Builder
	for _, s := range l.Text {
		text.WriteString(s.Text)
	}
	return text.String()
}

var wantLog = screen.Wants{Log: "u1"}

// TestRotatedLog: what is new is read once, in order, also when the file was rotated in between and
// there was much in it that was not read.
func TestRotatedLog(t *testing.T) {
	w := &writtenLog{dir: t.TempDir()}
	h := logOf(t, w)
	var r logReader
	defer r.close()
	w.write(t, 0, 3, "")
	r.read(h, wantLog)
	w.write(t, 0, 1500, strings.Repeat("x", 1000))
	w.rotate(t, 0)
	w.write(t, 0, 4, "")
	r.read(h, wantLog)
	r.read(h, wantLog)
	w.write(t, 0, 1, "")
	lines := r.read(h, wantLog).Lines
	if len(lines) != w.lines {
		t.Fatalf("%d of %d lines were read", len(lines), w.lines)
	}
	for i, l := range lines {
		if got, want := strings.TrimRight(textOf(l), "x"), fmt.Sprint(i+1); got != want {
			t.Fatalf("line %d is %q, want %q", i, got, want)
		}
	}
}

// TestLongLog: only the end of a long log is read when somebody begins to look.
func TestLongLog(t *testing.T) {
	w := &writtenLog{dir: t.TempDir()}
	w.write(t, 0, 20_000, "")
	h := logOf(t, w)
	var r logReader
	defer r.close()
	lines := r.read(h, wantLog).Lines
	if len(lines) < 1000 || len(lines) > maxLines || textOf(lines[len(lines)-1]) != "20000" {
		t.Fatalf("%d lines", len(lines))
	}
}

// TestHostileLog: what is kept of a log is bounded, whatever a program prints.
func TestHostileLog(t *testing.T) {
	w := &writtenLog{dir: t.TempDir()}
	h := logOf(t, w)
	var r logReader
	defer r.close()
	r.read(h, wantLog)
	hostile := strings.Repeat("\x1b[31mx\x1b[32my", (16<<10)/14-10)
	for range 3 {
		w.write(t, 0, 500, hostile)
		lines := r.read(h, wantLog).Lines
		bytes := 0
		for _, l := range lines {
			bytes += memory(l)
		}
		if len(lines) == 0 || bytes > maxBytes {
			t.Fatalf("%d lines take %d bytes", len(lines), bytes)
		}
	}
}

// TestCrashLoop: each instance is read to its end, then a rule comes and the next one; only the
// newest has a file that is open.
func TestCrashLoop(t *testing.T) {
	w := &writtenLog{dir: t.TempDir()}
	h := logOf(t, w)
	var r logReader
	defer r.close()
	const instances = 20
	var log *screen.Log
	for n := range instances {
		pod := webPod()
		pod.Status.ContainerStatuses[0].RestartCount = int32(n)
		h.show(watch.Modified, pod)
		w.write(t, n, 1, " begins")
		log = r.read(h, wantLog)
		w.write(t, n, 1, " ends") // read after the next one has begun
		if len(r.open) != 1 {
			t.Fatalf("%d logs are open", len(r.open))
		}
	}
	printed, rules := 0, 0
	for _, l := range log.Lines {
		if l.Kind == screen.InstanceEnds {
			rules++
			continue
		}
		if printed++; !strings.HasPrefix(textOf(l), fmt.Sprint(printed, " ")) {
			t.Errorf("line %d is %q", printed, textOf(l))
		}
	}
	if printed != w.lines-1 || rules != instances-1 {
		t.Errorf("%d lines and %d rules", printed, rules)
	}
	h.show(watch.Deleted, webPod())
	r.read(h, wantLog)
	if len(r.open) != 0 {
		t.Error("the log of a Pod that is gone is open")
	}
}

// TestAttemptsInLog: each attempt is in the log once, also one that began before another of which
// the log tells already.
func TestAttemptsInLog(t *testing.T) {
	var recorder history.Recorder
	recorded := recorder.Add("u1")
	readiness := recorded.Probe(history.Key{Container: "app", Type: "Readiness"}, history.Probing{FailureThreshold: 3})
	liveness := recorded.Probe(history.Key{Container: "app", Type: "Liveness"}, history.Probing{FailureThreshold: 3})
	h := filled(t)
	h.run.History = recorder.Reader()
	var r logReader
	defer r.close()
	for range 3 {
		recorded.Attempt(liveness, history.Attempt{Time: noon.Add(time.Second), Outcome: history.Failed}, history.Detail{})
		r.read(h, wantLog)
		recorded.Attempt(readiness, history.Attempt{Time: noon, Outcome: history.TimedOut}, history.Detail{})
		r.read(h, wantLog)
	}
	timeouts := 0
	lines := r.read(h, wantLog).Lines
	for _, l := range lines {
		if strings.Contains(textOf(l), "timeout") {
			timeouts++
		}
	}
	if len(lines) != 6 || timeouts != 3 {
		t.Errorf("%d attempts, %d of them without an answer", len(lines), timeouts)
	}
}

// TestLateAttempt: an attempt that took a while stands where it began, between lines that were
// there before it ended.
func TestLateAttempt(t *testing.T) {
	w := &writtenLog{dir: t.TempDir()}
	h := logOf(t, w)
	var recorder history.Recorder
	past := recorder.Add("u1")
	h.run.History = recorder.Reader()
	probe := past.Probe(history.Key{Container: "app", Type: "Readiness"}, history.Probing{})
	var r logReader
	defer r.close()
	w.write(t, 0, 3000, "")
	r.read(h, wantLog)
	w.write(t, 0, 3000, "")
	r.read(h, wantLog)
	past.Attempt(probe, history.Attempt{Time: time.Date(2026, 11, 4, 12, 0, 0, 3000, time.UTC), Outcome: history.TimedOut}, history.Detail{})
	log := r.read(h, wantLog)
	checkWindow(t, log)
	for i, l := range log.Lines {
		if l.Kind == screen.ProbeFailed {
			if before, after := textOf(log.Lines[i-1]), textOf(log.Lines[i+1]); before != "3000" || after != "3001" {
				t.Errorf("it stands between %s and %s", before, after)
			}
			return
		}
	}
	t.Error("it is not there")
}
