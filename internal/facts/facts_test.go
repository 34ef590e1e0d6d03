package facts

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
)

var noon = time.Date(2026, 11, 4, 12, 0, 0, 0, time.UTC)

// ended is an instance that ran for a second.
func ended(container string, code int, cause string, lines ...string) history.Instance {
	return history.Instance{Container: container, Started: noon, Ended: noon.Add(time.Second), ExitCode: code, Cause: cause, LastLines: lines}
}

// TestLastEnd: those are counted that ended in a row as the last one did, without that which runs
// and without those of other containers.
func TestLastEnd(t *testing.T) {
	for name, test := range map[string]struct {
		instances []history.Instance
		words     string
		alike     int
	}{
		"none":            {nil, "", 0},
		"one that runs":   {[]history.Instance{{Container: "app", Started: noon}}, "", 0},
		"a crash":         {[]history.Instance{ended("app", 7, "", "a", "b"), {Container: "app", Started: noon}}, "b", 1},
		"two, then alike": {[]history.Instance{ended("app", 1, ""), ended("app", 7, "", "a"), ended("web", 1, ""), ended("app", 7, "", "b")}, "b", 2},
		"another cause":   {[]history.Instance{ended("app", 7, "killed"), ended("app", 7, "")}, "", 1},
	} {
		last, alike := LastEnd(test.instances, "app")
		if words := LastWords(last); words != test.words || alike != test.alike {
			t.Errorf("%s: %d alike, last words %q; want %d, %q", name, alike, words, test.alike, test.words)
		}
	}
}

func TestEndText(t *testing.T) {
	for want, in := range map[string]history.Instance{
		"exit 7":                   {ExitCode: 7},
		"SIGKILL":                  {ExitCode: 137, Signal: 9},
		"liveness failed, SIGTERM": {ExitCode: 143, Signal: 15, Probe: "Liveness"},
	} {
		if got := EndText(in); got != want {
			t.Errorf("%+v: %q, want %q", in, got, want)
		}
	}
}

// TestContainer: what annotations and the past tell of a container.
func TestContainer(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{
		node.AnnotationPID + "app": "4711", manifest.AnnotationPrivatePorts + "app": "8080:41001,nonsense", node.AnnotationStopping + "app": "true",
		node.AnnotationKillAt + "app": "2026-11-04T12:00:30.5Z",
	}}}
	c := &corev1.Container{Name: "app", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}, {ContainerPort: 9000}}}
	want := diagnosis.Container{
		PID: 4711, Ports: []diagnosis.Port{{Name: "http", Declared: 8080, Actual: 41001}, {Declared: 9000, Actual: 9000}},
		Stopping: true, KillAt: noon.Add(30500 * time.Millisecond), LastWords: "bye", Ran: time.Second, Crashes: 1, Killed: true, KilledBy: "Liveness", KilledFor: "no",
	}
	var recorder history.Recorder
	past := recorder.Add("")
	instance := ended("app", 137, "Container app failed liveness probe, will be restarted", "bye")
	instance.Probe = "Liveness"
	past.Started(instance)
	past.Ended(instance)
	liveness := past.Probe(history.Key{Container: "app", Type: "Liveness"}, history.Probing{})
	past.Attempt(liveness, history.Attempt{Time: noon, Outcome: history.Failed, Message: "no"}, history.Detail{})
	got := Container(pod, c, recorder.Reader())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
