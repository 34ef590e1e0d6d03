//go:build example && postgres && linux

package e2e

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/relay"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/test/harness"
)

// TestCalculatorPostgresDependency breaks the way to a database that works, in each way that a
// relay knows: results cannot be read meanwhile, and can afterwards; nothing is restarted.
func TestCalculatorPostgresDependency(t *testing.T) {
	t.Parallel()
	db := newPostgres(t)
	opts := system.Options{
		Manifests: []string{filepath.Join(calculator, "pod.yaml")}, Commands: map[string]string{"calculator": "./calculator -weights-size 4MiB -data " + t.TempDir()},
		StateDir: t.TempDir(), Environ: append(os.Environ(), "DATABASE_URL="+db.url("calculator")), NoAPI: true, NoDashboard: true,
	}
	opts.Dependencies = system.DependencyOptions{Watch: func(_, _, _ string) bool { return true }, Variables: map[string]string{"db": "DATABASE_URL"}}
	s, err := system.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.CannotWatch(); err != nil {
		t.Skip(err)
	}
	if _, err := s.Reach(t.Context(), system.GoalReady); err != nil {
		t.Fatal(err)
	}
	pods, _ := store.List[*corev1.Pod](s.Store(), store.Selector{})
	pod := pods[0]
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return s.DialPort(ctx, pod.UID, pod.Spec.Containers[0].Ports[0].ContainerPort)
	}}}
	reads := func() bool {
		answer, err := client.Get("http://calculator/results")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}
	harness.WaitFor(t, "results can be read", reads)
	found := s.Dependencies()
	if len(found) != 1 || found[0].Name != "db" || int(found[0].Address.Port()) != db.port || found[0].Connects == 0 {
		t.Fatalf("found %+v", found)
	}
	if spots := s.BlindSpots(); len(spots) > 0 {
		t.Errorf("blind spots %+v", spots)
	}
	for _, kind := range []relay.Kind{relay.Down, relay.Hang, relay.Reset, relay.Dead} {
		undo, err := s.SetMode("db", relay.Mode{Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		harness.WaitFor(t, "results cannot be read while the database is "+kind.String(), func() bool { return !reads() })
		if err := undo(); err != nil {
			t.Fatal(err)
		}
		harness.WaitFor(t, "results can be read after the database was "+kind.String(), reads)
	}
	if pod, err = store.Get[*corev1.Pod](s.Store(), pod.Namespace, pod.Name); err != nil || pod.Status.ContainerStatuses[0].RestartCount != 0 {
		t.Errorf("it was restarted: %+v, %v", pod.Status.ContainerStatuses, err)
	}
}
