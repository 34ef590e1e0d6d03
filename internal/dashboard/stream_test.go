package dashboard

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/store"
)

// listener is a browser that has the stream open.
type listener struct {
	w    *httptest.ResponseRecorder
	stop context.CancelFunc
	done sync.WaitGroup
}

func (f *fixture) listen(t *testing.T, from string) *listener {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &listener{w: httptest.NewRecorder(), stop: stop}
	r := f.request("/ui/stream?from=" + from).WithContext(ctx)
	l.done.Go(func() { f.stream(l.w, r) })
	return l
}

// end closes the stream and returns the kinds and data of its records, and the number of the last.
func (l *listener) end() (kinds []string, data map[string]string, last string) {
	l.stop()
	l.done.Wait()
	data = map[string]string{}
	for block := range strings.SplitSeq(l.w.Body.String(), "\n\n") {
		var kind string
		for line := range strings.Lines(block) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch name {
			case "id":
				last = value
			case "event":
				kind = value
				kinds = append(kinds, kind)
			case "data":
				data[kind] = value
			}
		}
	}
	return kinds, data, last
}

// TestStream: who looks is told what changes; nobody looking, nothing runs, and who comes back
// within a moment misses nothing.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.now = time.Now()
		pod := f.pod(t, "web")
		past := f.recorder.Add(pod.UID)
		probe := past.Probe(history.Key{Container: "app", Type: "Liveness"}, history.Probing{SuccessThreshold: 1, FailureThreshold: 3})
		attempt := func() {
			past.Attempt(probe, history.Attempt{Time: time.Now(), Took: time.Millisecond, Outcome: history.Failed, Message: "HTTP probe failed with statuscode: 503", Run: 1, Failing: true},
				history.Detail{Status: 503})
		}
		attempt()
		l := f.listen(t, "")
		time.Sleep(1500 * time.Millisecond)
		attempt()
		_, err := store.Modify(f.opts.Store, "default", "web", func(p *corev1.Pod) error {
			p.Status.Conditions[0].Status = corev1.ConditionFalse
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		other := f.listen(t, "")
		synctest.Wait()
		kinds, data, last := l.end()
		if got := strings.Join(kinds, " "); got != "hello a pods" {
			t.Errorf("the records are %s", got)
		}
		var a attemptsRecord
		if err := json.Unmarshal([]byte(data["a"]), &a); err != nil || len(a.Attempts) != 5 || a.Attempts[1] != code(history.Attempt{Outcome: history.Failed, NotYet: true, Failing: true}) {
			t.Errorf("attempts: %s, %v", data["a"], err)
		}
		if !strings.Contains(data["a"], "2 more and it is restarted") || !strings.Contains(data["pods"], string(pod.UID)) {
			t.Errorf("the records are %v", data)
		}
		attempt()
		time.Sleep(2 * time.Second)
		resumed := f.listen(t, last)
		synctest.Wait()
		if kinds, data, _ := resumed.end(); strings.Join(kinds, " ") != "hello a" || strings.Contains(data["hello"], "again") {
			t.Errorf("who comes back is told %s: %v", kinds, data)
		}
		if _, data, _ := other.end(); !strings.Contains(data["hello"], "2 more and it is restarted") {
			t.Errorf("who comes later does not know the messages: %v", data["hello"])
		}
		synctest.Wait()
		if f.hub.open != 0 {
			t.Errorf("%d streams are open", f.hub.open)
		}
		f.hub.running.Wait() // the goroutine has ended
		late := f.listen(t, last)
		synctest.Wait()
		if _, data, _ := late.end(); !strings.Contains(data["hello"], `"again":true`) {
			t.Errorf("who has missed something is told %v", data)
		}
	})
}

// TestHostileRecord: scripts get texts of others as they may be shown.
func TestHostileRecord(t *testing.T) {
	f := newFixture(t)
	pod := f.pod(t, "web")
	past := f.recorder.Add(pod.UID)
	probe := past.Probe(history.Key{Container: "app", Type: "Liveness"}, history.Probing{SuccessThreshold: 1, FailureThreshold: 3})
	past.Attempt(probe, history.Attempt{Time: noon, Outcome: history.Failed, Message: hostile, Run: 1, Failing: true}, history.Detail{Status: 503, Body: hostile})
	data, err := json.Marshal(f.attemptsSince(noon.Add(-time.Second)))
	if err != nil || strings.Contains(string(data), "\u202e") || !strings.Contains(string(data), `\\u202e`) {
		t.Errorf("the record is %s, %v", data, err)
	}
}

// TestStreamEnds: the end of the run is told, and whoever comes then is sent away.
func TestStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		l := f.listen(t, "")
		synctest.Wait()
		f.hub.end()
		synctest.Wait()
		if kinds, _, _ := l.end(); strings.Join(kinds, " ") != "hello bye" {
			t.Errorf("the records are %s", kinds)
		}
		w := httptest.NewRecorder()
		f.stream(w, f.request("/ui/stream"))
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("after the end: %d", w.Code)
		}
	})
}

// TestOpenPod: what is new of a Pod whose page is open is told at once, of others with the next
// beat; a page that nobody sees any more is not open.
func TestOpenPod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.opts.Now = time.Now
		attempts := map[string]func(){}
		for _, name := range []string{"open", "other"} {
			past := f.recorder.Add(f.pod(t, name).UID)
			probe := past.Probe(history.Key{Container: "app", Type: "Liveness"}, history.Probing{SuccessThreshold: 1, FailureThreshold: 3})
			attempts[name] = func() {
				past.Attempt(probe, history.Attempt{Time: time.Now(), Took: time.Millisecond, Run: 1, Result: history.Passing}, history.Detail{Status: 200})
			}
			attempts[name]()
		}
		l := f.listen(t, "")
		told := func() int {
			synctest.Wait()
			f.hub.mu.Lock()
			defer f.hub.mu.Unlock()
			n := 0
			for _, r := range f.hub.records {
				if r.kind == "a" {
					n++
				}
			}
			return n
		}
		w := f.ask(http.MethodGet, "/ui/pods/default/open/figures")
		for _, id := range []string{`id="head"`, `id="probes"`, `id="attempts"`} {
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), id) {
				t.Errorf("figures: %d, without %s", w.Code, id)
			}
		}
		time.Sleep(beat + time.Millisecond) // just after a beat
		for name, want := range map[string]int{"open": 1, "other": 0} {
			before := told()
			attempts[name]()
			time.Sleep(beat / quickBeats)
			if got := told() - before; got != want {
				t.Errorf("%s: %d records within a quarter of a second, want %d", name, got, want)
			}
			time.Sleep(beat - beat/quickBeats)
			if got := told() - before; got != 1 {
				t.Errorf("%s: %d records within a second, want 1", name, got)
			}
		}
		time.Sleep(openTime)
		before := told()
		attempts["open"]()
		time.Sleep(beat / quickBeats)
		if got := told() - before; got != 0 {
			t.Errorf("%d records of a page that is not open any more", got)
		}
		l.end()
		if w := f.ask(http.MethodGet, "/ui/pods/default/gone/figures"); w.Code != http.StatusNotFound {
			t.Errorf("figures of a Pod that is gone: %d", w.Code)
		}
	})
}
