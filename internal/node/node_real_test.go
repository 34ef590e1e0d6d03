package node

import (
	"context"
	"os/exec"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// TestRealMachine runs one Pod on the machine that there is: a real process with an exec probe, the
// real engine, sockets and ports. All else about Pods is tested in virtual time.
func TestRealMachine(t *testing.T) {
	for _, program := range []string{"sleep", "true"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatal(err)
		}
	}
	s := store.New(store.Options{Kinds: append(store.Kubernetes(), Kinds()...)})
	n := New(Options{Store: s, Starter: process.GroupStarter{}, Dir: t.TempDir(), Environ: []string{"PATH=/usr/local/bin:/usr/bin:/bin"}})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	}()
	watch, err := s.Watch(store.WatchOptions{Kinds: []store.Object{&corev1.Pod{}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Create(s, examplePodOf(func(p *corev1.Pod) {
		p.Spec.Containers[0].Command = []string{"sleep", "600"}
		probe := exampleProbe("", 3)
		probe.TimeoutSeconds, probe.HTTPGet, probe.Exec = 30, nil, &corev1.ExecAction{Command: []string{"true"}}
		p.Spec.Containers[0].ReadinessProbe = probe
	})); err != nil {
		t.Fatal(err)
	}
	limit, cancel := context.WithTimeout(t.Context(), time.Minute) // long, for a busy machine
	defer cancel()
	wait := func(what string, holds func(store.Change) bool) {
		t.Helper()
		for {
			change, err := watch.Next(limit)
			if err != nil {
				t.Fatalf("waiting until the Pod is %s: %v", what, err)
			}
			if holds(change) {
				return
			}
		}
	}
	wait("Ready", func(c store.Change) bool { return isReady(&c.Object.(*corev1.Pod).Status) })
	if err := store.Delete[*corev1.Pod](s, "default", "web", store.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	wait("gone", func(c store.Change) bool { return c.Type == store.Deleted })
}
