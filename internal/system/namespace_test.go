package system

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/store"
)

// inTeam is a workload in a namespace of its own, with a Service and a probe; it ignores the signal
// to stop, so that its end takes a while.
const inTeam = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: app
        image: app
        command: [sh, -c, 'trap "" TERM; while true; do sleep 0.1; done']
        ports: [{containerPort: 8080}]
        readinessProbe: {exec: {command: ["true"]}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: team}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: web}}
`

// lockedBuilder is a text that several goroutines write.
type lockedBuilder struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuilder) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// TestDeleteNamespaceOfWhatRuns: a Namespace that is deleted takes along what runs in it, in peace,
// and goes last.
func TestDeleteNamespaceOfWhatRuns(t *testing.T) {
	path := filepath.Join(folder(t), "team.yaml")
	if err := os.WriteFile(path, []byte(inTeam), 0o600); err != nil {
		t.Fatal(err)
	}
	var log lockedBuilder
	s := started(t, t.Context(), Options{Manifests: []string{path}, NoServices: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	starting, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	if _, err := s.Reach(starting, GoalReady); err != nil {
		t.Fatal(err)
	}
	watch, err := s.Store().Watch(store.WatchOptions{Selector: store.Selector{Namespace: "team"}})
	if err != nil {
		t.Fatal(err)
	}
	team := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}}
	last, gone, err := s.Registry().DeleteObject(team, metav1.DeleteOptions{})
	if err != nil || gone || last.(*corev1.Namespace).Status.Phase != corev1.NamespaceTerminating {
		t.Fatalf("gone: %v, %+v, %v, want it to wait for its Pod", gone, last, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	left := map[types.UID]string{}
	for err == nil {
		if _, getErr := s.Store().GetObject(team); apierrors.IsNotFound(getErr) {
			break
		}
		var change store.Change
		if change, err = watch.Next(ctx); err == nil {
			left[change.Object.GetUID()] = string(change.Type) + " " + change.Object.GetName()
		}
	}
	for _, object := range []store.Object{&corev1.Pod{}, &corev1.Event{}} {
		if objects, _ := s.Store().ListObjects(object, store.Selector{Namespace: "team"}); len(objects) > 0 {
			t.Errorf("%d of %T are left", len(objects), object)
		}
	}
	if err != nil || log.String() != "" {
		t.Errorf("%v; last seen of each: %v; logged:\n%s", err, left, &log)
	}
}
