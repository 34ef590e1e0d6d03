package harness

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// Change is one line of -o json.
type Change struct {
	// Read is when the line was read.
	Read  time.Time
	Type  watch.EventType
	Pod   *corev1.Pod
	Event *corev1.Event
	// Status is the line itself if it is no change, but says that the reader was too slow.
	Status string
}

func (r *Run) readAll(out *bufio.Reader) {
	decoder := json.NewDecoder(out)
	for {
		var line struct {
			Type   watch.EventType
			Object json.RawMessage
		}
		err := decoder.Decode(&line)
		r.mu.Lock()
		close(r.changed)
		if err != nil {
			r.closed = true
			r.mu.Unlock()
			return
		}
		r.changes = append(r.changes, parseChange(line.Type, line.Object))
		r.changed = make(chan struct{})
		r.mu.Unlock()
	}
}

func parseChange(changeType watch.EventType, data []byte) Change {
	var meta metav1.TypeMeta
	c := Change{Read: time.Now(), Type: changeType}
	if err := json.Unmarshal(data, &meta); err != nil {
		panic(err)
	}
	var err error
	switch meta.Kind {
	case "Pod":
		err = json.Unmarshal(data, &c.Pod)
	case "Event":
		err = json.Unmarshal(data, &c.Event)
		if err == nil && c.Event.Series != nil { // each occurrence is a change: its own time counts
			c.Event.EventTime = c.Event.Series.LastObservedTime
		}
	case "Status":
		c.Status = string(data)
	default:
		err = fmt.Errorf("unexpected kind %q", meta.Kind)
	}
	if err != nil {
		panic(err)
	}
	return c
}

// Wait waits until the condition holds for what was printed so far.
func (r *Run) Wait(what string, holds func([]Change) bool) {
	r.t.Helper()
	deadline := time.After(Timeout)
	for {
		r.mu.Lock()
		changes, changed, closed := r.changes, r.changed, r.closed
		r.mu.Unlock()
		if holds(changes) {
			return
		}
		if closed {
			r.t.Fatalf("probity ended before: %s", what)
		}
		select {
		case <-changed:
		case <-deadline:
			r.t.Fatalf("not within %v: %s", Timeout, what)
		}
	}
}

// WaitPod waits until the newest state of any Pod fulfils the condition, and returns it.
func (r *Run) WaitPod(what string, holds func(*corev1.Pod) bool) *corev1.Pod {
	r.t.Helper()
	var found *corev1.Pod
	r.Wait(what, func(changes []Change) bool {
		for _, pod := range newestPods(changes) {
			if holds(pod) {
				found = pod
				return true
			}
		}
		return false
	})
	return found
}

// WaitPods waits until n Pods fulfil the condition at the same time, and returns them by name.
func (r *Run) WaitPods(n int, what string, holds func(*corev1.Pod) bool) map[string]*corev1.Pod {
	r.t.Helper()
	var found map[string]*corev1.Pod
	r.Wait(fmt.Sprintf("%d Pods %s", n, what), func(changes []Change) bool {
		found = map[string]*corev1.Pod{}
		for name, pod := range newestPods(changes) {
			if holds(pod) {
				found[name] = pod
			}
		}
		return len(found) == n
	})
	return found
}

func newestPods(changes []Change) map[string]*corev1.Pod {
	pods := map[string]*corev1.Pod{}
	for _, c := range changes {
		if c.Pod != nil {
			pods[c.Pod.Name] = c.Pod
		}
	}
	return pods
}

// WaitEvent waits for the nth occurrence (1 is the first) of an Event whose [Line] contains the
// text.
func (r *Run) WaitEvent(n int, text string) *corev1.Event {
	r.t.Helper()
	var found *corev1.Event
	r.Wait(fmt.Sprintf("event %d with %q", n, text), func(changes []Change) bool {
		events := eventsWith(changes, text)
		if len(events) < n {
			return false
		}
		found = events[n-1]
		return true
	})
	return found
}

// Events lists the occurrences so far of Events whose [Line] contains the text.
func (r *Run) Events(text string) []*corev1.Event { return eventsWith(r.Changes(), text) }

// Changes lists what was printed so far.
func (r *Run) Changes() []Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changes
}

// Newest is the last state of each Pod, by name.
func (r *Run) Newest() map[string]*corev1.Pod { return newestPods(r.Changes()) }

func eventsWith(changes []Change, text string) []*corev1.Event {
	var events []*corev1.Event
	for _, c := range changes {
		if c.Event != nil && c.Type != watch.Deleted && strings.Contains(Line(c.Event), text) {
			events = append(events, c.Event)
		}
	}
	return events
}

// PIDOf is the id of the process that runs in a container.
func PIDOf(t *testing.T, pod *corev1.Pod, container string) int {
	t.Helper()
	var pid int
	if _, err := fmt.Sscan(pod.Annotations["probity.run/pid."+container], &pid); err != nil {
		t.Fatalf("no process id of %s in %v: %v", container, pod.Annotations, err)
	}
	return pid
}

// PrivatePort is the first private port of a container.
func PrivatePort(t *testing.T, pod *corev1.Pod, container string) int {
	t.Helper()
	var declared, private int
	if _, err := fmt.Sscanf(pod.Annotations["probity.run/private-ports."+container], "%d:%d", &declared, &private); err != nil {
		t.Fatalf("no private port of %s in %v: %v", container, pod.Annotations, err)
	}
	return private
}

// Answer changes what the scripted service of a Pod's container app, started with -control, answers
// from now on.
func Answer(t *testing.T, pod *corev1.Pod, script string) {
	t.Helper()
	address := fmt.Sprintf("http://127.0.0.1:%d/-/answers", PrivatePort(t, pod, "app"))
	response, err := http.Post(address, "text/plain", strings.NewReader(script))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", address, response.Status)
	}
}

// Ready reports whether the Pod's condition Ready is True.
func Ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// Restarted returns a condition: the first container runs after n restarts or more.
func Restarted(n int32) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool {
		return len(pod.Status.ContainerStatuses) > 0 && pod.Status.ContainerStatuses[0].RestartCount >= n && pod.Status.ContainerStatuses[0].State.Running != nil
	}
}
