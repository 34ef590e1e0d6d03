package store

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func onNode(p *corev1.Pod) { p.Spec.NodeName = "probity" }

func grace(g int64) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.TerminationGracePeriodSeconds = &g }
}

// R162, R166: what a deletion makes of a Pod.
func TestDeletePod(t *testing.T) {
	const gone = -1
	tests := map[string]struct {
		pod   []func(*corev1.Pod)
		asked []*int64 // one deletion each, a second apart
		want  int64    // deletionGracePeriodSeconds in the end
	}{
		"by its spec":                         {pod: []func(*corev1.Pod){onNode, grace(20)}, asked: []*int64{nil}, want: 20},
		"by default":                          {pod: []func(*corev1.Pod){onNode}, asked: []*int64{nil}, want: 30},
		"asked":                               {pod: []func(*corev1.Pod){onNode, grace(20)}, asked: []*int64{new(int64(60))}, want: 60},
		"negative asked":                      {pod: []func(*corev1.Pod){onNode}, asked: []*int64{new(int64(-3))}, want: 1},
		"negative in the spec":                {pod: []func(*corev1.Pod){onNode, grace(-3)}, asked: []*int64{nil}, want: 1},
		"zero":                                {pod: []func(*corev1.Pod){onNode}, asked: []*int64{new(int64(0))}, want: gone},
		"unscheduled":                         {pod: []func(*corev1.Pod){grace(20)}, asked: []*int64{nil}, want: gone},
		"unscheduled, asked":                  {asked: []*int64{new(int64(60))}, want: gone},
		"succeeded":                           {pod: []func(*corev1.Pod){onNode, func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }}, asked: []*int64{nil}, want: gone},
		"failed":                              {pod: []func(*corev1.Pod){onNode, func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }}, asked: []*int64{new(int64(60))}, want: gone},
		"shortened":                           {pod: []func(*corev1.Pod){onNode}, asked: []*int64{new(int64(60)), new(int64(5))}, want: 5},
		"not lengthened":                      {pod: []func(*corev1.Pod){onNode}, asked: []*int64{new(int64(5)), new(int64(60))}, want: 5},
		"not lengthened by default":           {pod: []func(*corev1.Pod){onNode}, asked: []*int64{new(int64(5)), nil}, want: 5},
		"not shortened by default":            {pod: []func(*corev1.Pod){onNode, grace(20)}, asked: []*int64{new(int64(60)), nil}, want: 60},
		"shortened by a negative":             {pod: []func(*corev1.Pod){onNode}, asked: []*int64{nil, new(int64(-1))}, want: 1},
		"finished by the one who runs it":     {pod: []func(*corev1.Pod){onNode}, asked: []*int64{nil, new(int64(0))}, want: gone},
		"again, after it was shortened twice": {pod: []func(*corev1.Pod){onNode}, asked: []*int64{nil, new(int64(9)), new(int64(4)), new(int64(6))}, want: 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			now := start
			s := newStore(t, Options{Now: func() time.Time { return now }})
			create(t, s, newPod("web", tt.pod...))
			for _, asked := range tt.asked {
				if err := Delete[*corev1.Pod](s, "default", "web", DeleteOptions{Grace: asked}); err != nil {
					t.Fatal(err)
				}
				now = now.Add(time.Second)
			}
			if tt.want == gone {
				if exists[*corev1.Pod](s, "web") {
					t.Error("the Pod is still there")
				}
				return
			}
			pod := must[*corev1.Pod](t)(Get[*corev1.Pod](s, "default", "web"))
			if g := pod.DeletionGracePeriodSeconds; g == nil || *g != tt.want {
				t.Fatalf("deletionGracePeriodSeconds = %v, want %d", g, tt.want)
			}
			// from the first deletion on
			want := metav1.NewTime(start.Add(time.Duration(tt.want) * time.Second).Truncate(time.Second))
			if !pod.DeletionTimestamp.Equal(&want) {
				t.Errorf("deletionTimestamp = %v, want %v", pod.DeletionTimestamp, want)
			}
			if pod.Generation != 2 {
				t.Errorf("generation = %d, want 2", pod.Generation)
			}
		})
	}
}

func TestDeleteWithFinalizers(t *testing.T) {
	s := newStore(t, Options{})
	create(t, s, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "c", Finalizers: []string{"a.b/c", "a.b/d"}}})
	for range 2 {
		if err := Delete[*corev1.ConfigMap](s, "default", "c", DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	cm := must[*corev1.ConfigMap](t)(Get[*corev1.ConfigMap](s, "default", "c"))
	if cm.DeletionTimestamp == nil || cm.DeletionGracePeriodSeconds == nil || *cm.DeletionGracePeriodSeconds != 0 || cm.Generation != 0 {
		t.Errorf("metadata = %+v, want a deletion time, a grace period of 0 and no generation", cm.ObjectMeta)
	}
	w := must[*Watch](t)(s.Watch(WatchOptions{From: cm.ResourceVersion}))
	for i, left := range [][]string{{"a.b/d"}, nil} {
		must[*corev1.ConfigMap](t)(Modify(s, "default", "c", func(cm *corev1.ConfigMap) error { cm.Finalizers = left; return nil }))
		if got := exists[*corev1.ConfigMap](s, "c"); got != (i == 0) {
			t.Errorf("exists with finalizers %v: %v", left, got)
		}
	}
	changes := drain(t, w)
	if len(changes) != 2 || changes[1].Type != Deleted || len(changes[1].Object.GetFinalizers()) != 0 {
		t.Errorf("changes = %v, want MODIFIED, and DELETED without finalizers", describe(changes))
	}
}

// A Pod that still runs is not removed by the update that takes its last finalizer.
func TestFinalizerOfARunningPod(t *testing.T) {
	s := newStore(t, Options{})
	create(t, s, newPod("web", onNode, func(p *corev1.Pod) { p.Finalizers = []string{"a.b/c"} }))
	steps := []struct {
		name string
		do   func() error
		want bool
	}{
		{"deletion", func() error { return Delete[*corev1.Pod](s, "default", "web", DeleteOptions{}) }, true},
		{"last finalizer", func() error {
			_, err := Modify(s, "default", "web", func(p *corev1.Pod) error { p.Finalizers = nil; return nil })
			return err
		}, true},
		{"end", func() error { return Delete[*corev1.Pod](s, "default", "web", DeleteOptions{Grace: new(int64(0))}) }, false},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := exists[*corev1.Pod](s, "web"); got != step.want {
			t.Fatalf("after the %s: exists = %v, want %v", step.name, got, step.want)
		}
	}
}

func TestDeletedChange(t *testing.T) {
	s := newStore(t, Options{})
	pod := create(t, s, newPod("web"))
	w := must[*Watch](t)(s.Watch(WatchOptions{From: pod.ResourceVersion}))
	if err := Delete[*corev1.Pod](s, "default", "web", DeleteOptions{UID: pod.UID}); err != nil {
		t.Fatal(err)
	}
	changes := drain(t, w)
	if len(changes) != 1 || changes[0].Type != Deleted || changes[0].Object.GetUID() != pod.UID {
		t.Fatalf("changes = %v, want one DELETED", describe(changes))
	}
	if got := versionOf(changes[0].Object); got != versionOf(pod)+1 {
		t.Errorf("version = %d, want that of the deletion, %d", got, versionOf(pod)+1)
	}
}

func newReplicaSet(name string, owners ...Object) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, OwnerReferences: refsTo(owners...)}}
}

func TestCollectChain(t *testing.T) {
	s := newStore(t, Options{})
	deploy := create(t, s, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d"}})
	rs := create(t, s, newReplicaSet("rs", deploy))
	create(t, s, newPod("waiting", ownedBy(rs)))
	create(t, s, newPod("running", ownedBy(rs), onNode, grace(9)))
	create(t, s, newPod("stranger"))
	if err := Delete[*appsv1.Deployment](s, "default", "d", DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if exists[*appsv1.ReplicaSet](s, "rs") || exists[*corev1.Pod](s, "waiting") || !exists[*corev1.Pod](s, "stranger") {
		t.Error("want the ReplicaSet and its waiting Pod gone, and the stranger left")
	}
	if pod := must[*corev1.Pod](t)(Get[*corev1.Pod](s, "default", "running")); pod.DeletionTimestamp == nil || *pod.DeletionGracePeriodSeconds != 9 {
		t.Errorf("running Pod = %+v, want it deleted with its own grace", pod.ObjectMeta)
	}
}

func TestCollectWithTwoOwners(t *testing.T) {
	s := newStore(t, Options{})
	one, two := create(t, s, newReplicaSet("one")), create(t, s, newReplicaSet("two"))
	create(t, s, newPod("web", ownedBy(one, two)))
	if err := Delete[*appsv1.ReplicaSet](s, "default", "one", DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	pod := must[*corev1.Pod](t)(Get[*corev1.Pod](s, "default", "web"))
	if refs := pod.OwnerReferences; len(refs) != 1 || refs[0].UID != two.UID {
		t.Errorf("owners = %v, want the other one", refs)
	}
	if err := Delete[*appsv1.ReplicaSet](s, "default", "two", DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if exists[*corev1.Pod](s, "web") {
		t.Error("the Pod outlived its owners")
	}
}

// An owner, something it owns, and something both own: the first removal must not bring the last
// one back.
func TestCollectDiamond(t *testing.T) {
	s := newStore(t, Options{})
	deploy := create(t, s, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d"}})
	rs := create(t, s, newReplicaSet("rs", deploy))
	create(t, s, newPod("web", ownedBy(deploy, rs)))
	if err := Delete[*appsv1.Deployment](s, "default", "d", DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if exists[*appsv1.ReplicaSet](s, "rs") || exists[*corev1.Pod](s, "web") {
		t.Error("something outlived its owners")
	}
}

// What is created for an owner that has gone meanwhile does not stay for ever; what is owned by a
// kind that the store does not know does.
func TestCollectLatecomer(t *testing.T) {
	s := newStore(t, Options{})
	rs := create(t, s, newReplicaSet("rs"))
	if err := Delete[*appsv1.ReplicaSet](s, "default", "rs", DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if create(t, s, newPod("late", ownedBy(rs))); exists[*corev1.Pod](s, "late") {
		t.Error("a Pod whose owner is gone stays")
	}
	create(t, s, newPod("foreign", func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "argoproj.io/v1alpha1", Kind: "Rollout", Name: "r", UID: "u"}}
	}))
	if !exists[*corev1.Pod](s, "foreign") {
		t.Error("a Pod with an owner of an unknown kind is gone")
	}
}

func TestOrphan(t *testing.T) {
	s := newStore(t, Options{})
	rs := create(t, s, newReplicaSet("rs"))
	create(t, s, newPod("web", ownedBy(rs)))
	if err := Delete[*appsv1.ReplicaSet](s, "default", "rs", DeleteOptions{Propagation: metav1.DeletePropagationOrphan}); err != nil {
		t.Fatal(err)
	}
	pod := must[*corev1.Pod](t)(Get[*corev1.Pod](s, "default", "web"))
	if len(pod.OwnerReferences) != 0 || pod.DeletionTimestamp != nil {
		t.Errorf("Pod = %+v, want it left without an owner", pod.ObjectMeta)
	}
	if rs, err := Get[*appsv1.ReplicaSet](s, "default", "rs"); err == nil {
		t.Errorf("the owner is still there: %v", rs.Name)
	}
}
