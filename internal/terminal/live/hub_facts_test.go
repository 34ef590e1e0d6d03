package live

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// TestRestartsOnStrips: a restart is on the strip of a Pod, also if that has no probe.
func TestRestartsOnStrips(t *testing.T) {
	h := filled(t)
	var recorder history.Recorder
	past := recorder.Add("u1")
	h.run.History = recorder.Reader()
	for n := range 3 {
		past.Started(history.Instance{Container: "app", Number: n, Started: noon.Add(time.Duration(n-4) * 20 * time.Second)})
		past.Ended(history.Instance{Container: "app", Number: n, Started: noon.Add(time.Duration(n-4) * 20 * time.Second), Ended: noon})
		h.gather(noon)
	}
	var v screen.View
	for width, want := range map[int]int{80: 2, 120: 4} { // one strip, and two
		frame := v.Frame(h.gather(noon), width, 40, screen.Plain())
		for line := range strings.Lines(frame) {
			if strings.Contains(line, "x2k9p") && strings.Count(line, "▌") > 0 && strings.Count(line, "↻") != want {
				t.Errorf("at %d columns the row is %s", width, line)
			}
		}
	}
}

// TestUnaskedProbe: a Pod whose probe was not asked yet says so, and does not seem about to be
// ready.
func TestUnaskedProbe(t *testing.T) {
	h := filled(t)
	var recorder history.Recorder
	recorder.Add("u1").Started(history.Instance{Container: "app", Started: noon.Add(-time.Minute)})
	h.run.History = recorder.Reader()
	pod := webPod()
	pod.Spec.Containers[0].ReadinessProbe.InitialDelaySeconds = 90
	h.show(watch.Modified, pod)
	p := h.gather(noon).Pods[0]
	if want := "Runs; GET /readyz was not asked yet (initialDelaySeconds: 90, another 30 s)."; p.Diagnosis.Why != want {
		t.Errorf("why: %q, want %q", p.Diagnosis.Why, want)
	}
	if p.Took != "" {
		t.Errorf("it took %s", p.Took)
	}
	if d := h.details("u1", noon); len(d.Probes) != 1 || d.Probes[0].Counter != "not asked yet" {
		t.Errorf("the probes are %+v", d.Probes)
	}
}

// TestKillIsCountedDown: a container that is being stopped shows when SIGKILL follows, also if its
// Pod is not deleted.
func TestKillIsCountedDown(t *testing.T) {
	h := filled(t)
	pod := webPod()
	pod.Annotations[node.AnnotationStopping+"app"] = "true"
	pod.Annotations[node.AnnotationKillAt+"app"] = noon.Add(12 * time.Second).Format(time.RFC3339Nano)
	h.run.History = history.Reader{}
	h.show(watch.Modified, pod)
	if d := h.gather(noon).Pods[0].Diagnosis; d.Check != "0:12" || d.Reason != "is being restarted · SIGKILL in 0:12" {
		t.Errorf("check %q, reason %q", d.Check, d.Reason)
	}
	pod = pod.DeepCopy()
	pod.DeletionTimestamp = new(metav1.NewTime(noon.Add(30 * time.Second)))
	h.show(watch.Modified, pod)
	if d := h.gather(noon).Pods[0].Diagnosis; d.Check != "0:12" || !strings.HasPrefix(d.Reason, "1 request in flight · SIGKILL in 0:12") {
		t.Errorf("check %q, reason %q", d.Check, d.Reason)
	}
}

// TestShortEvents: failed attempts are told in few words; what else is written is left as it is.
func TestShortEvents(t *testing.T) {
	h := filled(t)
	for message, want := range map[string]string{
		"Readiness probe failed: " + refusal: "connection refused · readiness GET /readyz",
		"Liveness probe failed: " + refusal:  "", // it has none
		"Readiness probe errored: x":         "",
	} {
		e := &corev1.Event{Reason: "Unhealthy", Message: message, InvolvedObject: corev1.ObjectReference{UID: "u1", FieldPath: "spec.containers{app}"}}
		if got := h.shortOf(e); got != want {
			t.Errorf("%q is shortened to %q, want %q", message, got, want)
		}
	}
}

// TestServing: replicas that were taken out of rotation, or are being restarted, do not serve,
// although their status says that they are ready.
func TestServing(t *testing.T) {
	h := filled(t)
	h.run.History = history.Reader{}
	for n, state := range []string{"out", "", "", "stopping"} {
		pod := webPod()
		pod.UID, pod.Name = types.UID(fmt.Sprint("u", n+1)), fmt.Sprint("web-5d8f-", n)
		pod.Status.Conditions[0].Status = corev1.ConditionTrue
		switch state {
		case "out":
			pod.Annotations[manifest.AnnotationRotation] = manifest.RotationOut
		case "stopping":
			pod.Annotations[node.AnnotationStopping+"app"] = "true"
		}
		h.show(watch.Modified, pod)
	}
	for _, p := range h.gather(noon).Pods {
		if p.Diagnosis.State == diagnosis.Out && p.Diagnosis.So != "2 of 3 replicas serve." {
			t.Errorf("so: %s", p.Diagnosis.So)
		}
	}
}

// TestEventsOfGonePods: what an Event said in few words is known when its Pod is gone.
func TestEventsOfGonePods(t *testing.T) {
	h := filled(t)
	h.show(watch.Added, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{UID: "e"}, Reason: "Unhealthy", Message: "Readiness probe failed: " + refusal,
		InvolvedObject: corev1.ObjectReference{UID: "u1", FieldPath: "spec.containers{app}"},
	})
	h.show(watch.Deleted, webPod())
	for _, e := range h.gather(noon).Events {
		if strings.HasSuffix(e.Message, refusal) && e.Short != "connection refused · readiness GET /readyz" {
			t.Errorf("in few words: %q", e.Short)
		}
	}
}

// TestLabels: where a Pod has several containers, lines and attempts say of which they are.
func TestLabels(t *testing.T) {
	w := &writtenLog{dir: t.TempDir()}
	w.write(t, 0, 1, "")
	h := logOf(t, w)
	pod := webPod()
	pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "log"})
	h.show(watch.Modified, pod)
	var recorder history.Recorder
	past := recorder.Add("u1")
	h.run.History = recorder.Reader()
	past.Attempt(past.Probe(history.Key{Container: "app", Type: "Readiness"}, history.Probing{}), history.Attempt{Time: noon}, history.Detail{})
	var r logReader
	defer r.close()
	log := r.read(h, wantLog)
	if len(log.Lines) != 2 || log.Title != "2 containers" {
		t.Fatalf("%d lines of %s", len(log.Lines), log.Title)
	}
	for _, l := range log.Lines {
		if l.From != "app" {
			t.Errorf("%q is of %q", textOf(l), l.From)
		}
	}
}

// TestSummaryFits: a line of the summary is not wider than the terminal.
func TestSummaryFits(t *testing.T) {
	tally := tally{name: "worker", pods: 1, restarts: 1, last: "exit 7 “致命的错误 cannot reach postgres at db:5432: connection refused”", at: noon}
	for _, width := range []int{40, 80, 200} {
		if text := tally.text(width); printable.Width(text) > width {
			t.Errorf("in %d columns: %q", width, text)
		}
	}
}
