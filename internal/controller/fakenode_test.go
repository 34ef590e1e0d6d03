package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// behaviour of a Pod on the fake node.
type behaviour struct {
	readyAfter time.Duration // negative: never
	stopsAfter time.Duration // a deletion
	fixed      bool          // the program turns out to ignore PORT
	ends       bool          // its phase becomes Failed when it would be ready
}

// node makes Pods ready and ends them, each in a goroutine of its own that ends with the Pod.
func (w *cluster) node(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	seen := map[string]context.CancelFunc{}
	w.follow(ctx, []store.Object{&corev1.Pod{}}, func(change store.Change) {
		pod, uid := change.Object.(*corev1.Pod), string(change.Object.GetUID())
		switch {
		case change.Type == store.Deleted && seen[uid] != nil:
			seen[uid]()
		case change.Type != store.Deleted && seen[uid] == nil && pod.Spec.NodeName == nodeName:
			alive, end := context.WithCancel(ctx)
			seen[uid] = end
			running.Go(func() { w.runPod(alive, pod) })
		}
	})
}

func (w *cluster) runPod(ctx context.Context, pod *corev1.Pod) {
	b := w.behaviourOf(pod)
	deleted, markDeleted := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		w.followOne(ctx, pod, func(now *corev1.Pod) bool {
			if now.DeletionTimestamp != nil {
				markDeleted()
			}
			return now.DeletionTimestamp == nil
		})
	})
	defer markDeleted()
	defer watching.Wait()
	w.givePorts(pod, b)
	w.setReady(pod, false, b)
	if b.readyAfter >= 0 {
		select {
		case <-time.After(b.readyAfter):
			w.setReady(pod, true, b)
		case <-deleted.Done():
		case <-ctx.Done():
			return
		}
	}
	select {
	case <-deleted.Done():
	case <-ctx.Done():
		return
	}
	select {
	case <-time.After(b.stopsAfter):
	case <-ctx.Done():
		return
	}
	err := store.Delete[*corev1.Pod](w.store, pod.Namespace, pod.Name, store.DeleteOptions{Grace: new(int64(0)), UID: pod.UID})
	if err != nil && !apierrors.IsNotFound(err) {
		w.t.Error(err)
	}
}

func (w *cluster) setReady(pod *corev1.Pod, ready bool, b behaviour) {
	_, err := store.Modify(w.store, pod.Namespace, pod.Name, func(p *corev1.Pod) error {
		if p.UID != pod.UID {
			return nil
		}
		p.Status.Phase, p.Status.PodIP = corev1.PodRunning, "127.0.0.1"
		condition := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(time.Now().Truncate(time.Second))}
		if ready && b.ends {
			p.Status.Phase = corev1.PodFailed
		} else if ready {
			condition.Status = corev1.ConditionTrue
		}
		p.Status.Conditions = []corev1.PodCondition{condition}
		return nil
	})
	if err != nil && !apierrors.IsNotFound(err) {
		w.t.Error(err)
	}
}

// givePorts notes private ports, 40001 and so on, as the node does.
func (w *cluster) givePorts(pod *corev1.Pod, b behaviour) {
	var pairs []string
	for _, p := range pod.Spec.Containers[0].Ports {
		pairs = append(pairs, fmt.Sprintf("%d:%d", p.ContainerPort, 40000+w.ports.Add(1)))
	}
	if b.fixed {
		pairs = []string{"8080:8080"}
	}
	if len(pairs) == 0 {
		return
	}
	_, err := store.Modify(w.store, pod.Namespace, pod.Name, func(p *corev1.Pod) error {
		p.Annotations = with(p.Annotations, manifest.AnnotationPrivatePorts+"app", strings.Join(pairs, ","))
		return nil
	})
	if err != nil && !apierrors.IsNotFound(err) {
		w.t.Error(err)
	}
}

// follow hands on changes until the context is done.
func (w *cluster) follow(ctx context.Context, kinds []store.Object, do func(store.Change)) {
	watch, err := w.store.Watch(store.WatchOptions{Kinds: kinds})
	for err == nil {
		var change store.Change
		switch change, err = watch.Next(ctx); {
		case err == nil:
			do(change)
		case apierrors.IsResourceExpired(err):
			watch, err = w.store.Watch(store.WatchOptions{Kinds: kinds})
		}
	}
	if !errors.Is(err, context.Canceled) {
		w.t.Error(err)
	}
}

// followOne hands on the states of one Pod for as long as do says so.
func (w *cluster) followOne(ctx context.Context, pod *corev1.Pod, do func(*corev1.Pod) bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.follow(ctx, []store.Object{&corev1.Pod{}}, func(change store.Change) {
		if change.Object.GetUID() == pod.UID && (change.Type == store.Deleted || !do(change.Object.(*corev1.Pod))) {
			cancel()
		}
	})
}

// view is the state of the store after one change.
type view struct {
	sets map[types.UID]*appsv1.ReplicaSet
	pods map[types.UID]*corev1.Pod
}

// observe plays every change again, so that no instant between two steps of the controller is
// missed.
func (w *cluster) observe(ctx context.Context) {
	now := view{map[types.UID]*appsv1.ReplicaSet{}, map[types.UID]*corev1.Pod{}}
	w.follow(ctx, []store.Object{&corev1.Pod{}, &appsv1.ReplicaSet{}}, func(change store.Change) {
		switch o := change.Object.(type) {
		case *corev1.Pod:
			if now.pods[o.UID] = o; change.Type == store.Deleted {
				delete(now.pods, o.UID)
			}
		case *appsv1.ReplicaSet:
			if now.sets[o.UID] = o; change.Type == store.Deleted {
				delete(now.sets, o.UID)
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.watched != nil {
			w.watched(now)
		}
	})
}

// oldAndNew are the sizes of the old sets together and of an image's.
func (v view) oldAndNew(image string) string {
	var old, size int32
	for _, set := range v.sets {
		if set.Spec.Template.Spec.Containers[0].Image == image {
			size = *set.Spec.Replicas
		} else {
			old += *set.Spec.Replicas
		}
	}
	return fmt.Sprintf("%d/%d", old, size)
}

// images are those of the Pods that are there, terminating or not.
func (v view) images() []string {
	var all []string
	for _, pod := range v.pods {
		all = append(all, pod.Spec.Containers[0].Image)
	}
	slices.Sort(all)
	return all
}
