package system

import (
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/store"
)

// TestForcedDeletion: what kubectl delete --grace-period=0 --force does leaves no process, and a
// new Pod of the name runs alone.
func TestForcedDeletion(t *testing.T) {
	dir := folder(t)
	s := started(t, t.Context(), Options{
		Manifests: []string{podOf(t, filepath.Join(dir, "pod.yaml"), "web", "Always", `trap "" TERM; while :; do sleep 0.1; done`)},
		StateDir:  filepath.Join(dir, "state"),
	})
	first := runs(t, s, "web")
	again := &corev1.Pod{ObjectMeta: *first.ObjectMeta.DeepCopy(), Spec: *first.Spec.DeepCopy()}
	again.UID, again.ResourceVersion, again.Annotations = "", "", nil
	if err := store.Delete[*corev1.Pod](s.Store(), "default", "web", store.DeleteOptions{Grace: new(int64(0))}); err != nil {
		t.Fatal(err)
	}
	created, err := store.Create(s.Store(), again)
	if err != nil {
		t.Fatal(err)
	}
	second := runs(t, s, "web")
	if second.UID != created.UID {
		t.Fatalf("Pod %s runs, want %s", second.UID, created.UID)
	}
	if pid := pidOf(t, first); isAlive(pid) {
		t.Errorf("process %d of the deleted Pod is alive beside the new one", pid)
	}
	if pid := pidOf(t, second); !isAlive(pid) {
		t.Errorf("process %d of the new Pod is dead", pid)
	}
}

func pidOf(t *testing.T, pod *corev1.Pod) int {
	t.Helper()
	pid, err := strconv.Atoi(pod.Annotations[node.AnnotationPID+"app"])
	if err != nil {
		t.Fatalf("Pod %s shows no process: %v", pod.Name, err)
	}
	return pid
}

// isAlive reports whether a process is there.
func isAlive(pid int) bool { return syscall.Kill(pid, 0) == nil }
