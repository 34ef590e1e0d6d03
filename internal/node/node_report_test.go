package node

import (
	"bytes"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/store"
)

// A report says nothing about an instance that is gone.
func TestReportForgetsADeadInstance(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", life: 5 * time.Second, code: 1})
		n.create(examplePodOf(withReadiness("/ready"), func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyNever }))
		n.at(4 * time.Second)
		if got := n.report().Outcome; got != "success" {
			t.Errorf("outcome = %q, want success", got)
		}
		n.at(8 * time.Second)
		report, err := store.Get[*ProbeReport](n.store, "default", "web")
		if err != nil || len(report.Probes) != 0 {
			t.Errorf("report = %+v, %v, want no record", report, err)
		}
	})
}

// A report that is due when its Pod is removed leaves nothing, and is no error.
func TestReportOfARemovedPod(t *testing.T) {
	s := store.New(store.Options{Kinds: append(store.Kubernetes(), Kinds()...)})
	pod, err := store.Create(s, examplePodOf())
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		w := &reportWriter{store: s, pod: pod, log: slog.New(slog.NewTextHandler(&logged, nil))}
		w.put(ProbeRecord{Container: "app"}, time.Now())
		w.put(ProbeRecord{Container: "app", Run: 1}, time.Now())
		if err := store.Delete[*corev1.Pod](s, "default", "web", store.DeleteOptions{Grace: new(int64(0))}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		w.writeIfDue(time.Now())
	})
	if reports, _ := store.List[*ProbeReport](s, store.Selector{}); len(reports) > 0 {
		t.Errorf("a report is left without its Pod: %+v", reports[0])
	}
	if logged.Len() > 0 {
		t.Errorf("logged: %s", logged.String())
	}
}

// While an instance that is killed by a probe waits out its grace period, its object says so.
func TestStoppingIsShown(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.engine.answer("/live", failing)
		n.starter.program("server", behaviour{listens: "PORT", stubborn: true}, behaviour{listens: "PORT"})
		n.create(examplePodOf(withLiveness("/live")))
		shown := func() bool { return n.pod().Annotations[AnnotationStopping+"app"] == "true" }
		n.until("the kill", func() bool { return len(n.of("signal")) > 0 })
		if at, want := n.pod().Annotations[AnnotationKillAt+"app"], time.Now().Add(30*time.Second).Format(time.RFC3339Nano); at != want {
			t.Errorf("SIGKILL is said to come at %q, want %s", at, want)
		}
		if !shown() || n.pod().Status.ContainerStatuses[0].State.Running == nil {
			t.Errorf("the Pod is %+v, want it running and stopping", n.pod())
		}
		n.engine.answer("/live", healthy)
		n.until("the restart", func() bool { return len(n.of("start")) == 2 })
		if at, ok := n.pod().Annotations[AnnotationKillAt+"app"]; shown() || ok {
			t.Errorf("the new instance is shown as stopping, SIGKILL at %q", at)
		}
	})
}
