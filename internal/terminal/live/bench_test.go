package live

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// benchPods is how many Pods the benchmarks show; each has two probes that run once a second.
const benchPods = 50

// fleet is a run of Pods that are all well.
type fleet struct {
	hub   *hub
	now   time.Time
	pods  []*history.Pod
	tapes []*history.Probe
}

func newFleet() *fleet {
	var recorder history.Recorder
	f := &fleet{now: noon}
	f.hub = newHub(Run{Title: "live.yaml", History: recorder.Reader()})
	for i := range benchPods {
		pod := wellPod(i)
		recorded := recorder.Add(pod.UID)
		recorded.Started(history.Instance{Container: "app", Started: noon})
		for _, t := range []string{"Startup", "Readiness", "Liveness"} {
			f.pods = append(f.pods, recorded)
			f.tapes = append(f.tapes, recorded.Probe(history.Key{Container: "app", Type: t}, history.Probing{SuccessThreshold: 1, FailureThreshold: 3}))
		}
		f.hub.show(watch.Added, pod)
		for j, reason := range []string{"Scheduled", "Pulled", "Created", "Started"} {
			f.hub.show(watch.Added, &corev1.Event{
				ObjectMeta: metav1.ObjectMeta{UID: types.UID(fmt.Sprint("e", i, "-", j))}, Type: "Normal", Reason: reason, Message: "Container " + reason,
				EventTime: metav1.NewMicroTime(noon), InvolvedObject: corev1.ObjectReference{Name: pod.Name, UID: pod.UID},
			})
		}
	}
	for range 30 {
		f.second()
	}
	return f
}

// second lets a second pass, in which every probe is answered once.
func (f *fleet) second() {
	f.now = f.now.Add(time.Second)
	for i, tape := range f.tapes {
		f.pods[i].Attempt(tape, history.Attempt{Time: f.now, Took: time.Millisecond, Outcome: history.Answered, Result: history.Passing, Run: 1}, history.Detail{Status: 200, Total: time.Millisecond, Body: "ok"})
	}
}

func wellPod(i int) *corev1.Pod {
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(8080)}}, TimeoutSeconds: 1, PeriodSeconds: 1, FailureThreshold: 3, SuccessThreshold: 1}
	pod := webPod()
	pod.Name, pod.UID, pod.OwnerReferences = fmt.Sprint("pod-", i), types.UID(fmt.Sprint("u", i)), nil
	pod.Annotations[node.AnnotationPID+"app"] = itoa(1000 + i)
	c := &pod.Spec.Containers[0]
	c.StartupProbe, c.ReadinessProbe, c.LivenessProbe = probe, probe, probe
	pod.Status.Conditions[0].Status = corev1.ConditionTrue
	s := &pod.Status.ContainerStatuses[0]
	s.Ready, s.Started = true, new(true)
	return pod
}

// BenchmarkGather is what it costs to bring the state up to date after a second of probes.
func BenchmarkGather(b *testing.B) {
	f := newFleet()
	f.hub.gather(f.now)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		f.second()
		b.StartTimer()
		f.hub.gather(f.now)
	}
}

// BenchmarkFrame is what it costs to show a second of probes: from what was recorded to the text.
func BenchmarkFrame(b *testing.B) {
	for _, size := range [][2]int{{80, 24}, {200, 50}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			f := newFleet()
			var view screen.View
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				f.second()
				b.StartTimer()
				view.Frame(f.hub.gather(f.now), size[0], size[1], screen.Dark())
			}
		})
	}
}
