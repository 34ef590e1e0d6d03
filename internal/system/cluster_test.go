package system

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

func namespaces(s *store.Store) (names []string) {
	list, _ := store.List[*corev1.Namespace](s, store.Selector{})
	for _, n := range list {
		names = append(names, n.Name+" "+string(n.Status.Phase))
	}
	return names
}

// TestCluster: an empty system has what clients find on every cluster.
func TestCluster(t *testing.T) {
	s := started(t, t.Context(), Options{MaxPods: 7})
	check(t, "namespaces", namespaces(s.Store()), "default Active", "kube-node-lease Active", "kube-system Active")
	n, err := store.Get[*corev1.Node](s.Store(), "", node.Name)
	if err != nil {
		t.Fatal(err)
	}
	if got := n.Status.Allocatable.Pods().Value(); got != 7 || n.Status.Capacity.Cpu().Value() != int64(runtime.NumCPU()) {
		t.Errorf("capacity = %v, allocatable %v", n.Status.Capacity, n.Status.Allocatable)
	}
	if info := n.Status.NodeInfo; info.KernelVersion == "" || info.OSImage == "" || info.OperatingSystem != runtime.GOOS || !strings.HasPrefix(info.ContainerRuntimeVersion, "probity://") {
		t.Errorf("node info = %+v", info)
	}
	lease, err := store.Get[*coordinationv1.Lease](s.Store(), "kube-node-lease", node.Name)
	if err != nil || *lease.Spec.HolderIdentity != node.Name || len(lease.OwnerReferences) != 1 || lease.OwnerReferences[0].UID != n.UID {
		t.Errorf("Lease = %+v, %v", lease, err)
	}
}

// TestRenewLease: the Node's Lease tells that it is alive; one that somebody deleted does no harm.
func TestRenewLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		objects := store.New(store.Options{Kinds: store.Kubernetes()})
		s := &System{opts: Options{MaxPods: 1}, store: objects, registry: registry.New(registry.Options{Store: objects})}
		if err := s.createCluster(); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.renewLease(ctx) }()
		time.Sleep(25 * time.Second)
		lease, err := store.Get[*coordinationv1.Lease](objects, "kube-node-lease", node.Name)
		if err != nil || lease.Spec.RenewTime.Sub(begin) != 20*time.Second {
			t.Errorf("renewed %v after the start, %v, want 20s", lease.Spec.RenewTime.Sub(begin), err)
		}
		if _, _, err := objects.DeleteObject(lease, store.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}

func TestNewNode(t *testing.T) {
	at := time.Date(2026, 11, 29, 1, 2, 3, 4, time.UTC)
	n := newNode(machine{hostname: "h", kernel: "6.1", osImage: "Some Linux", processors: 2, memory: 4 << 30, version: "v1.2.3"}, 110, at)
	want := map[string]string{
		"cpu": n.Status.Capacity.Cpu().String(), "memory": n.Status.Capacity.Memory().String(), "pods": n.Status.Capacity.Pods().String(),
		"address": n.Status.Addresses[0].Address, "host": n.Status.Addresses[1].Address,
		"ready": string(n.Status.Conditions[0].Type) + " " + string(n.Status.Conditions[0].Status),
		"since": n.Status.Conditions[0].LastTransitionTime.Format(time.RFC3339Nano), "runtime": n.Status.NodeInfo.ContainerRuntimeVersion,
	}
	if diff := cmp.Diff(map[string]string{
		"cpu": "2", "memory": "4Gi", "pods": "110", "address": "127.0.0.1", "host": "h", "ready": "Ready True", "since": "2026-11-29T01:02:03Z",
		"runtime": "probity://v1.2.3",
	}, want); diff != "" {
		t.Errorf("Node (-want +got):\n%s", diff)
	}
	unknown := newNode(machine{}, 110, at)
	if _, ok := unknown.Status.Capacity[corev1.ResourceMemory]; ok || unknown.Status.Addresses[1].Address != node.Name {
		t.Errorf("of an unknown machine: %+v", unknown.Status)
	}
}

// TestKubernetesVersion: the version that the Node tells is that of the types.
func TestKubernetesVersion(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`k8s\.io/api v0(\.\S+)`).FindSubmatch(text)
	if want := "v1" + string(found[1]) + "+probity"; kubernetesVersion != want {
		t.Errorf("version %s, want %s", kubernetesVersion, want)
	}
}

// TestNamespacesOfManifests: what a manifest puts in a namespace makes it, also again.
func TestNamespacesOfManifests(t *testing.T) {
	a := newTestApplier()
	config := text(configText, "name: settings=name: settings, namespace: team", "VALUE=a")
	applied(t, a, "f", config)
	check(t, "namespaces", namespaces(a.store), "team Active")
	if _, gone, err := a.store.DeleteObject(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}}, store.DeleteOptions{}); err != nil || !gone {
		t.Fatalf("gone: %v, %v", gone, err)
	}
	if _, err := store.Get[*corev1.ConfigMap](a.store, "team", "settings"); !apierrors.IsNotFound(err) {
		t.Errorf("what was in it: %v, want it gone", err)
	}
	check(t, "again", applied(t, a, "f", config), "configmap/settings created")
}

// TestGoesOnWithoutPods: who takes the last Pod away may bring another one; when Pods have ended
// for good and nothing makes others, there is nothing to wait for.
func TestGoesOnWithoutPods(t *testing.T) {
	path := podOf(t, filepath.Join(folder(t), "pod.yaml"), "web", "Always", "exec sleep 100")
	s := started(t, t.Context(), Options{Manifests: []string{path}, StopWhenFinished: true})
	pod := runs(t, s, "web")
	if err := store.Delete[*corev1.Pod](s.Store(), pod.Namespace, pod.Name, store.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	isGone(t, s, "web")
	more := podOf(t, filepath.Join(folder(t), "more.yaml"), "more", "Never", "true")
	if _, err := s.Apply(t.Context(), []string{more}); err != nil {
		t.Fatalf("the system ended with its last Pod: %v", err)
	}
	if err := ended(t, s); err != nil {
		t.Errorf("ended with %v when the Pod had Succeeded", err)
	}
}

func TestFinished(t *testing.T) {
	pod := func(phase corev1.PodPhase) *corev1.Pod { return &corev1.Pod{Status: corev1.PodStatus{Phase: phase}} }
	deleted := func(phase corev1.PodPhase) *corev1.Pod {
		p := pod(phase)
		p.DeletionTimestamp = new(metav1.Now())
		return p
	}
	for name, tt := range map[string]struct {
		pods        []*corev1.Pod
		all, failed bool
	}{
		"none":                        {nil, false, false},
		"succeeded":                   {[]*corev1.Pod{pod("Succeeded"), pod("Succeeded")}, true, false},
		"failed":                      {[]*corev1.Pod{pod("Succeeded"), pod("Failed")}, true, true},
		"one runs":                    {[]*corev1.Pod{pod("Failed"), pod("Running")}, false, true},
		"ended because it is deleted": {[]*corev1.Pod{deleted("Failed")}, false, false},
		"one of them is deleted":      {[]*corev1.Pod{pod("Succeeded"), deleted("Succeeded")}, false, false},
	} {
		all, failed := finished(tt.pods)
		if all != tt.all || (failed != nil) != tt.failed {
			t.Errorf("%s: all: %v, failed: %v, want %v, %v", name, all, failed, tt.all, tt.failed)
		}
	}
}

// isGone waits until a Pod's object is gone.
func isGone(t *testing.T, s *System, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	watch, err := s.Store().Watch(store.WatchOptions{Kinds: []store.Object{&corev1.Pod{}}})
	for err == nil {
		if _, getErr := store.Get[*corev1.Pod](s.Store(), metav1.NamespaceDefault, name); apierrors.IsNotFound(getErr) {
			return
		}
		_, err = watch.Next(ctx)
	}
	t.Fatalf("pod %s is still there: %v", name, err)
}
