package kube

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestFamily: what belongs is known once the owners are, in whatever order these are learned.
func TestFamily(t *testing.T) {
	s := shop()
	loop := corev1.Pod{ObjectMeta: meta("default", "loop", "l", owner("Pod", "loop", "l"))}
	learned := []metav1.Object{&s.ReplicaSets[0], &s.Pods[0], &s.Pods[1], &s.Pods[2], &loop}
	for name, test := range map[string]struct {
		named []metav1.Object
		want  map[types.UID]bool
	}{
		"a Deployment": {[]metav1.Object{&s.Deployments[0]}, map[types.UID]bool{"d": true, "r": true, "a": true, "b": true, "1": false, "s": false, "l": false}},
		"a ReplicaSet": {[]metav1.Object{&s.ReplicaSets[0]}, map[types.UID]bool{"d": false, "r": true, "a": true, "b": true, "1": false}},
		"a Service":    {[]metav1.Object{&s.Services[0]}, map[types.UID]bool{"s": true, "a": true, "b": true, "r": false, "d": false, "1": false}},
		"two":          {[]metav1.Object{&s.Pods[2], &s.Pods[0]}, map[types.UID]bool{"1": true, "b": true, "a": false, "r": false}},
		"all":          {nil, map[types.UID]bool{"d": true, "1": true, "unknown": true}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, reverse := range []bool{false, true} {
				f, order := NewFamily(test.named, &Snapshot{}), slices.Clone(learned)
				if reverse {
					slices.Reverse(order)
				}
				for _, o := range order {
					f.Learn(o)
				}
				for uid, want := range test.want {
					kind := map[types.UID]string{"d": "Deployment", "r": "ReplicaSet", "s": "Service"}[uid]
					if kind == "" {
						kind = "Pod"
					}
					if belongs, known := f.Has(corev1.ObjectReference{Kind: kind, UID: uid}); belongs != want || !known {
						t.Errorf("reverse %v: Has(%s) = %v, %v, want %v, true", reverse, uid, belongs, known, want)
					}
				}
			}
		})
	}

	f := NewFamily([]metav1.Object{&s.Deployments[0]}, &Snapshot{})
	pod := corev1.ObjectReference{Kind: "Pod", UID: "a"}
	for i, learn := range []metav1.Object{nil, &s.Pods[1]} { // neither the Pod nor its ReplicaSet, then the Pod alone
		if learn != nil {
			f.Learn(learn)
		}
		if belongs, known := f.Has(pod); belongs || known {
			t.Errorf("%d: Has = %v, %v before its owner is known", i, belongs, known)
		}
	}
	f.LearnAll(s)
	if belongs, known := f.Has(pod); !belongs || !known {
		t.Errorf("Has = %v, %v, want true, true", belongs, known)
	}
}
