package lines

import (
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/store"
	decide "github.com/probity-run/probity/internal/workload"
)

// workload is what was told about a Deployment, a StatefulSet or a ReplicaSet of its own.
type workload struct {
	ref string
	decide.Progress
}

func (r *Reporter) onWorkload(change watch.EventType, o store.Object, now time.Time) {
	if metav1.GetControllerOfNoCopy(o) != nil {
		return // its owner tells
	}
	if change == watch.Deleted || o.GetDeletionTimestamp() != nil {
		delete(r.workloads, o.GetUID())
		return
	}
	progress, ok := decide.ProgressOf(o)
	if !ok {
		return
	}
	w := r.workloads[o.GetUID()]
	if w == nil {
		w = &workload{ref: ref(kindOf(o), o.GetNamespace(), o.GetName())}
		r.workloads[o.GetUID()] = w
	}
	before := w.Progress
	w.Progress = progress
	switch {
	case w.Complete && !before.Complete:
		r.say(now, Ready, w.ref, w.String())
	case !w.Complete && before.Complete:
		r.say(now, NotReady, w.ref, w.String())
	case w.Stuck != "" && before.Stuck == "":
		r.say(now, Failing, w.ref, w.String()+": "+shortened(w.Stuck))
	}
}

func (r *Reporter) workloadsInOrder() []*workload {
	return slices.SortedFunc(maps.Values(r.workloads), func(a, b *workload) int { return strings.Compare(a.ref, b.ref) })
}

func kindOf(o store.Object) string {
	switch o.(type) {
	case *appsv1.Deployment:
		return "Deployment"
	case *appsv1.StatefulSet:
		return "StatefulSet"
	}
	return "ReplicaSet"
}
