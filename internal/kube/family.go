package kube

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Family is what belongs to some objects: they, their ReplicaSets and their Pods, also those that
// are gone again. What it says of an object does not depend on the order in which it learns of
// them. Make it with [NewFamily]; it belongs to one goroutine.
type Family struct {
	named   []metav1.Object
	members map[types.UID]bool
	owners  map[types.UID]metav1.OwnerReference // of each ReplicaSet and Pod; zero without a controller
}

// NewFamily begins with the objects and what a snapshot has. Without objects everything belongs.
func NewFamily(named []metav1.Object, now *Snapshot) *Family {
	f := &Family{named, map[types.UID]bool{}, map[types.UID]metav1.OwnerReference{}}
	for _, o := range named {
		f.members[o.GetUID()] = true
	}
	f.LearnAll(now)
	return f
}

// IsPart reports whether some objects do not belong.
func (f *Family) IsPart() bool { return len(f.named) > 0 }

// LearnAll notes what a snapshot has.
func (f *Family) LearnAll(now *Snapshot) {
	for i := range now.ReplicaSets {
		f.Learn(&now.ReplicaSets[i])
	}
	for i := range now.Pods {
		f.Learn(&now.Pods[i])
	}
}

// Learn notes whose a ReplicaSet or a Pod is.
func (f *Family) Learn(o metav1.Object) {
	var owner metav1.OwnerReference
	if controller := metav1.GetControllerOfNoCopy(o); controller != nil {
		owner = *controller
	}
	f.owners[o.GetUID()] = owner
	if pod, ok := o.(*corev1.Pod); ok {
		for _, named := range f.named {
			if service, ok := named.(*corev1.Service); ok && selects(service, pod) {
				f.members[pod.UID] = true
			}
		}
	}
}

// Has reports whether an object belongs, and whether that is known: of a Pod or a ReplicaSet it is
// once that and its owner were learned.
func (f *Family) Has(at corev1.ObjectReference) (belongs, known bool) {
	if !f.IsPart() {
		return true, true
	}
	kind, uid := at.Kind, at.UID
	for range maxGenerations {
		if f.members[uid] {
			return true, true
		}
		owner, learned := f.owners[uid]
		if !learned {
			return false, kind != "Pod" && kind != "ReplicaSet"
		}
		kind, uid = owner.Kind, owner.UID
	}
	return false, true
}

// maxGenerations are a Pod, its ReplicaSet, the Deployment of that, and its owner: what lies
// further away makes no Pods here, and objects that own each other come to an end.
const maxGenerations = 4
