package drill

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/internal/history"
)

// TestUndoThatFails: a fault that cannot be undone is told, unless it is gone with the process that
// it was done to. That the drill itself has ended another one before does not count.
func TestUndoThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		fault string
		ends  time.Duration // when the process does, since the fault began
		told  bool
	}{
		"a slow start":          {"slow-start=2x+5s", 0, true},
		"an outage at a start":  {"dependency-outage:db@start+5s", 0, true},
		"of another thing":      {"dependency-outage:db@start+5s", 2 * time.Second, true},
		"gone with its process": {"throttle=5%+5s", 2 * time.Second, false},
		"gone just now":         {"throttle=5%+5s", 5300 * time.Millisecond, false},
		"the process is there":  {"throttle=5%+5s", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, web := newDrill(t)
				becomeReady(t, d.record.store)
				web.Container = "log" // a sidecar, which is none of containerStatuses
				recorder := &history.Recorder{}
				pod := d.pods(web)[0]
				past := recorder.Add(pod.UID)
				d.record.history = recorder.Reader()
				past.Started(history.Instance{Container: "log", Ended: time.Now()}) // by the drill, for a fault of the start
				past.Started(history.Instance{Container: "log", Number: 1, Started: time.Now()})
				if test.ends > 0 {
					time.AfterFunc(test.ends, func() { past.Ended(history.Instance{Container: "log", Number: 1, Ended: time.Now()}) })
				}
				f, err := ParseFault(test.fault)
				if err != nil {
					t.Fatal(err)
				}
				rep := &Repetition{Pod: pod.Name, Begin: d.since(time.Now())}
				if err := d.follow(f, web, pod, rep, func() error { return errors.New("no such process") }); err != nil || (rep.Undo != "") != test.told {
					t.Errorf("%v, undo %q, want told %v", err, rep.Undo, test.told)
				}
			})
		})
	}
}
