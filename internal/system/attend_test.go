package system

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/test/ports"
)

// TestAttend is what a person does to a Pod that runs: take it out of rotation and back, restart
// it, delete it; and what a person learns: where it listens, where its probe is written, what it
// printed.
func TestAttend(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	port := ports.Free(t)
	path := webOf(t, port, self, fmt.Sprintf("\n    readinessProbe: {httpGet: {path: /, port: %d}, periodSeconds: 1}", port))
	s := started(t, t.Context(), Options{Manifests: []string{path}, Environ: append(os.Environ(), asServer+"=127.0.0.1:$PORT")})
	answers := func() bool { return strings.HasPrefix(answerOf(addressOf(s, port)), "200 from ") }
	eventually(t, "an answer", answers)
	pod := runs(t, s, "web")

	listeners, err := s.Listeners(t.Context(), pod.UID)
	if err != nil || len(listeners["app"]) != 1 {
		t.Errorf("listeners %v, %v", listeners, err)
	}
	if got := s.Place(pod, "spec.containers[0].readinessProbe.httpGet.port"); !strings.HasSuffix(got, "web.yaml:16") {
		t.Errorf("the port of the probe is at %q", got)
	}
	if got := s.Place(pod, "spec.nothing"); got != "" {
		t.Errorf("a field that nobody asks for is at %q", got)
	}

	if err := s.SetRotation("default", "web", true); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no answer", func() bool { return !answers() })
	eventually(t, "a Pod that is ready all the same", func() bool {
		pod, err := store.Get[*corev1.Pod](s.Store(), "default", "web")
		return err == nil && pod.Status.ContainerStatuses[0].Ready
	})
	if err := s.SetRotation("default", "web", false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an answer again", answers)

	if err := s.Restart("default", "web"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a restart", func() bool {
		pod, err := store.Get[*corev1.Pod](s.Store(), "default", "web")
		return err == nil && pod.Status.ContainerStatuses[0].RestartCount == 1 && pod.Status.ContainerStatuses[0].Ready
	})
	if messages := eventsOf(s, "Killing"); len(messages) != 1 || messages[0] != "Container app is restarted as somebody asked for it" {
		t.Errorf("Events %q", messages)
	}
	if err := s.RestartContainer("default", "web", "none"); err == nil || !strings.Contains(err.Error(), "it has no such container") {
		t.Errorf("a restart of no container: %v", err)
	}
	if err := s.Signal("default", "web", "app", syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another restart", func() bool {
		pod, err := store.Get[*corev1.Pod](s.Store(), "default", "web")
		return err == nil && pod.Status.ContainerStatuses[0].RestartCount == 2
	})
	if err := s.Signal("default", "web", "none", syscall.SIGTERM); err == nil || !strings.Contains(err.Error(), "container none does not run") {
		t.Errorf("a signal to no container: %v", err)
	}

	log := s.OpenLog(pod, "app", 1)
	defer log.Close()
	if _, err := log.Next(); err != nil && !errors.Is(err, io.EOF) {
		t.Errorf("reading the log: %v", err)
	}

	next := pod.DeepCopy()
	manifest.PrepareForCreate(next)
	next.Spec.Containers[0].ReadinessProbe.PeriodSeconds = 2
	if err := s.ReplacePod(t.Context(), pod, next, registry.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another Pod with the other probe", func() bool {
		now, err := store.Get[*corev1.Pod](s.Store(), "default", "web")
		return err == nil && now.UID != pod.UID && now.Spec.Containers[0].ReadinessProbe.PeriodSeconds == 2 && len(now.Status.ContainerStatuses) > 0 && now.Status.ContainerStatuses[0].Ready
	})
	if err := s.ReplacePod(t.Context(), pod, next, registry.WriteOptions{}); err == nil {
		t.Error("a Pod that is gone is replaced")
	}

	if err := s.DeletePod("default", "web"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end", func() bool { _, err := store.Get[*corev1.Pod](s.Store(), "default", "web"); return err != nil })
	for name, err := range map[string]error{"Restart": s.Restart("default", "web"), "DeletePod": s.DeletePod("default", "web"), "SetRotation": s.SetRotation("default", "web", true), "Signal": s.Signal("default", "web", "app", syscall.SIGTERM)} {
		if err == nil {
			t.Errorf("%s of a Pod that is gone gives no error", name)
		}
	}
}
