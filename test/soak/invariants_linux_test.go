//go:build soak

package soak

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/store"
)

// invariants watches the store and fails the test when something is not as it always has to be.
// Only the goroutine of run uses it.
type invariants struct {
	t       *testing.T
	store   *store.Store
	logFile func(pod string) string
	pods    map[string]*history

	changes, restarts, expired int
}

// history is what was observed of a Pod.
type history struct {
	instances int       // Started Events
	started   time.Time // of the newest one
	alive     bool      // since Started, until a status says that it is not running
	killed    bool      // by a probe, since it was started
	finished  time.Time // of the last instance, cut to the second
	recorded  bool      // the back-off has a record: there was a start after an exit
	pid       string
	ready     bool
	last      []string // the last observations, to explain a violation
}

func (h *history) note(what string) {
	h.last = append(h.last, time.Now().Format("05.000 ")+what)
	h.last = h.last[max(0, len(h.last)-8):]
}

func newInvariants(t *testing.T, s *store.Store, logFile func(string) string) *invariants {
	return &invariants{t: t, store: s, logFile: logFile, pods: map[string]*history{}}
}

func (v *invariants) run(ctx context.Context) {
	options := store.WatchOptions{Kinds: []store.Object{&corev1.Pod{}, &corev1.Event{}}}
	watch, err := v.store.Watch(options)
	for err == nil {
		var change store.Change
		change, err = watch.Next(ctx)
		if apierrors.IsResourceExpired(err) { // then what was missed cannot be judged
			v.expired++
			clear(v.pods)
			watch, err = v.store.Watch(options)
			continue
		}
		if err == nil {
			v.changes++
			v.observe(change)
		}
	}
	if ctx.Err() == nil {
		v.t.Error(err)
	}
}

func (v *invariants) observe(change store.Change) {
	switch o := change.Object.(type) {
	case *corev1.Event:
		if change.Type != store.Deleted {
			v.event(v.historyOf(o.InvolvedObject.Name), o)
		}
	case *corev1.Pod:
		if o.DeletionTimestamp == nil {
			v.pod(v.historyOf(o.Name), o)
		}
	}
}

func (v *invariants) historyOf(pod string) *history {
	if v.pods[pod] == nil {
		v.pods[pod] = &history{}
	}
	return v.pods[pod]
}

func (v *invariants) event(h *history, e *corev1.Event) {
	name := e.InvolvedObject.Name
	h.note(e.Reason + " " + e.Message)
	switch e.Reason {
	case "Started":
		h.instances++
		v.checkBackoff(name, h, store.LastSeen(e))
		h.started, h.alive, h.killed, h.ready = store.LastSeen(e), true, false, false
	case "Killing":
		h.killed = true
	case "Unhealthy", "ProbeWarning":
		if !h.alive {
			v.t.Errorf("%s: a probe of an instance that had ended: %s", name, e.Message)
		}
	}
}

// checkBackoff: the first restart comes at once; from then on a crash waits for the cap, as the
// first delay is longer than that (R147, R148). A restart by a probe does not wait, and if it is
// the first one it does not even begin the back-off: no exit was known when it was decided (R151).
func (v *invariants) checkBackoff(name string, h *history, started time.Time) {
	if h.instances == 1 {
		return
	}
	v.restarts++
	// finished was cut to the second, which makes the pause look longer, never shorter.
	if pause := started.Sub(h.finished); h.recorded && !h.killed && pause < maxRestartPeriod {
		v.t.Errorf("%s: started %v after a crash, want the back-off of %v:\n%s", name, pause, maxRestartPeriod, strings.Join(h.last, "\n"))
	}
	h.recorded = h.recorded || !h.killed || h.instances > 2
}

func (v *invariants) pod(h *history, pod *corev1.Pod) {
	if len(pod.Status.ContainerStatuses) == 0 {
		return
	}
	c := pod.Status.ContainerStatuses[0]
	if c.State.Running == nil {
		h.note(fmt.Sprintf("%+v", c.State))
	}
	if c.State.Running == nil {
		h.alive = false
		if c.Ready {
			v.t.Errorf("%s is ready and does not run: %+v", pod.Name, c.State)
		}
	}
	for _, exit := range []*corev1.ContainerStateTerminated{c.State.Terminated, c.LastTerminationState.Terminated} {
		if exit != nil && exit.FinishedAt.After(h.finished) {
			h.finished = exit.FinishedAt.Time
		}
	}
	if c.State.Running != nil && int(c.RestartCount) != h.instances-1 {
		v.t.Errorf("%s: restartCount is %d with %d instances", pod.Name, c.RestartCount, h.instances)
	}
	if c.Ready && !h.ready {
		v.checkReady(pod, h)
	}
	h.ready = c.Ready
}

// checkReady: a container that is ready has a process that answered its readiness probe with 200.
func (v *invariants) checkReady(pod *corev1.Pod, h *history) {
	h.pid = pod.Annotations[node.AnnotationPID+"app"]
	data, err := os.ReadFile(v.logFile(pod.Name))
	if err != nil {
		v.t.Error(err)
	}
	if !strings.Contains(string(data), " "+h.pid+" GET /ready 200\n") {
		v.t.Errorf("%s is ready, but process %s has never answered the probe with 200", pod.Name, h.pid)
	}
}

// timeout of the probes, after which an attempt without an answer is given up.
const timeout = time.Second

// checkAttempts reads the log of a service: while an attempt is in flight, no other one of the same
// probe may begin. When a service got no processor time for the length of a time-out, it finds
// several attempts at once when it goes on, of which all but the last were given up. Such a service
// wrote nothing before, by which it is recognised.
func checkAttempts(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	// by process and path: when the attempt in flight began
	pending := map[string]time.Time{}
	// by process: its last line, and its first one after a silence
	heard, woke := map[string]time.Time{}, map[string]time.Time{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 4 { // another note
			continue
		}
		ms, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			return
		}
		at, process := time.UnixMilli(ms), words[1]
		if last, ok := heard[process]; ok && at.Sub(last) >= timeout {
			woke[process] = at
		}
		heard[process] = at
		switch words[2] {
		case "GET":
			key := process + words[3]
			// on a busy machine the service learns late of the first attempt, and late that it was
			// given up
			if began, ok := pending[key]; ok && at.Sub(began) < timeout/4 && at.Sub(woke[process]) >= timeout/4 {
				t.Errorf("%s: two attempts of %s at once: %v apart", file, words[3], at.Sub(began))
			}
			pending[key] = at
		case "answered":
			delete(pending, process+words[3])
		}
	}
}
