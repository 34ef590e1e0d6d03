package terminal

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// waitingPod is one that does not become ready.
func waitingPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", UID: "u", ResourceVersion: "7"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}},
	}
}

// TestLinesByTime: lines that are due by time come without a change, and the end has its line.
func TestLinesByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		close(g.open)
		s := newLinesScreen(Options{Out: g, Err: g})
		stopping := false
		s.start(Run{Store: store.New(store.Options{Kinds: store.Kubernetes()}), Stopping: func() bool { return stopping }})
		if err := s.show(watch.Added, waitingPod()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(16 * time.Second)
		problem := &manifest.Error{Position: manifest.Position{File: "app.yaml", Line: 14}, Field: "spec.x", Message: "Invalid value: 3: must be 1"}
		s.refused(manifest.Errors{problem})
		s.refused(manifest.Errors{{Position: manifest.Position{File: "db.yaml"}, Message: "cannot read"}})
		s.refused(errors.New("nothing was changed: cannot read it"))
		s.refused(errors.New("cannot apply Deployment default/web: field is immutable"))
		s.refused(nil)
		s.unready()
		s.flush()
		stopping = true
		if err := s.show(watch.Modified, waitingPod()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		s.hurry()
		s.close()
		var got []string
		for line := range strings.Lines(g.got.String()) {
			got = append(got, line[len("15:04:05.000 "):])
		}
		want := []string{
			"Waiting   pod/web  not ready after 5 s: its containers are being started\n",
			"Waiting   pod/web  not ready after 15 s: its containers are being started\n",
			"Refused   app.yaml:14  spec.x: Invalid value: 3: must be 1; nothing changed\n",
			"Refused   db.yaml  cannot read; nothing changed\n",
			"Refused   manifests  cannot read it; nothing changed\n",
			"Refused   manifests  cannot apply Deployment default/web: field is immutable\n",
			"Waiting   pod/web  not ready after 16 s: its containers are being started\n",
			"Stopped   1 Pod in 1.0 s, 0 requests lost\n",
		}
		if strings.Join(got, "") != strings.Join(want, "") {
			t.Errorf("lines\n%swant\n%s", strings.Join(got, ""), strings.Join(want, ""))
		}
	})
}

// TestLinesNobodyReads: what is said and refused waits for nobody, and the end does not wait for
// ever. It takes real time, as whoever waits for a lock does not let a virtual clock go on.
func TestLinesNobodyReads(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	s := newLinesScreen(Options{Out: g, Err: g})
	s.start(Run{Store: store.New(store.Options{Kinds: store.Kubernetes()})})
	blocked := make(chan struct{})
	go func() {
		defer close(blocked)
		pod := waitingPod()
		for n := range 1 << 20 { // each is another instance, so that each change has a line
			pod = pod.DeepCopy()
			pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", ContainerID: fmt.Sprint(n), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
			if s.show(watch.Modified, pod) != nil {
				return // the end has come
			}
		}
		t.Error("show has never waited for the reader")
	}()
	full := func() bool {
		s.out.mu.Lock()
		defer s.out.mu.Unlock()
		return len(s.out.pending) > maxPending
	}
	for !full() { // the reporter waits for the reader then
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	s.say("a note")
	s.refused(errors.New("wrong"))
	s.unready()
	if took := time.Since(began); took > 10*closeTimeout {
		t.Errorf("it took %v to say something", took)
	}
	s.flush()
	s.hurry()
	s.close()
	if took := time.Since(began); took > 10*closeTimeout {
		t.Errorf("the end took %v", took)
	}
	<-blocked
	close(g.open) // lets the goroutine end, as the end of the process would
}
