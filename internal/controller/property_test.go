package controller

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// Whatever people do to a Deployment and whatever happens to its Pods: whenever nothing is left to
// be done at an instant, the sets are within their bounds, and in the end there is what was asked
// for, the Service leads there, and nothing changes any more.
func TestEditsAtRandom(t *testing.T) {
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			opts := store.Options{}
			if seed%2 == 1 {
				opts.History = 16 // the controller falls behind all the time
			}
			inClusterOf(t, opts, func(w *cluster) { w.scribble(rand.New(rand.NewPCG(seed, 3))) })
		})
	}
}

func (w *cluster) scribble(r *rand.Rand) {
	w.behave("v1", behaviour{readyAfter: time.Second, stopsAfter: 3 * time.Second})
	w.behave("v2", behaviour{readyAfter: 3 * time.Second, stopsAfter: time.Second})
	w.behave("bad", behaviour{readyAfter: -1})
	w.behave("fixed", behaviour{readyAfter: time.Second, stopsAfter: 2 * time.Second, fixed: true})
	create(w, service())
	create(w, deployment(int32(1+r.IntN(5)), exposing, rolling("1", "1")))
	total := 0
	for range 60 {
		w.edit(r)
		w.wait(time.Duration(r.IntN(3000)) * time.Millisecond)
		total = w.checkSizes(total)
	}
	modify(w, "web", func(d *appsv1.Deployment) {
		d.Spec.Paused, d.Spec.Template.Spec.Containers[0].Image, d.Spec.Replicas = false, "v1", new(int32(3))
	})
	w.wait(2 * time.Minute)
	w.want("pods", w.pods(), "v1:3")
	w.want("progress", w.progressing(), "True NewReplicaSetAvailable")
	ready := 0
	for _, slice := range w.slices("web") {
		for _, e := range slice.Endpoints {
			if *e.Conditions.Ready && get[*corev1.Pod](w, e.TargetRef.Name).UID == e.TargetRef.UID {
				ready++
			}
		}
	}
	w.want("ready endpoints", fmt.Sprint(ready), "3")
	_, before := store.List[*corev1.Pod](w.store, store.Selector{})
	w.wait(time.Hour)
	_, after := store.List[*corev1.Pod](w.store, store.Selector{})
	w.want("version after an hour", after, before)
}

// edit does something to the Deployment, its sets or its Pods.
func (w *cluster) edit(r *rand.Rand) {
	change := func(do func(*appsv1.Deployment)) { modify(w, "web", do) }
	switch r.IntN(9) {
	case 0, 1:
		change(func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(r.IntN(8))) })
	case 2, 3:
		w.setImage([]string{"v1", "v2", "bad", "fixed"}[r.IntN(4)])
	case 4:
		change(func(d *appsv1.Deployment) { d.Spec.Paused = !d.Spec.Paused })
	case 5:
		change(rolling(fmt.Sprint(r.IntN(3)), fmt.Sprint(1+r.IntN(2))))
	case 6:
		change(func(d *appsv1.Deployment) {
			d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
		})
	case 7:
		if sets := list[*appsv1.ReplicaSet](w); len(sets) > 0 {
			w.ignoreGone(store.Delete[*appsv1.ReplicaSet](w.store, "default", sets[r.IntN(len(sets))].Name, store.DeleteOptions{}))
		}
	case 8:
		pods := list[*corev1.Pod](w)
		if len(pods) == 0 {
			return
		}
		pod := pods[r.IntN(len(pods))]
		if r.IntN(2) == 0 {
			w.ignoreGone(store.Delete[*corev1.Pod](w.store, "default", pod.Name, store.DeleteOptions{}))
			return
		}
		w.setReady(pod, false, behaviour{}) // a blip
		w.wait(time.Duration(r.IntN(2000)) * time.Millisecond)
		w.setReady(pod, true, behaviour{})
	}
}

func (w *cluster) ignoreGone(err error) {
	if err != nil && !apierrors.IsNotFound(err) {
		w.t.Error(err)
	}
}

// checkSizes is the upper bound of P01. A smaller surge in the middle of a rollout takes no Pod
// away, so the sets may stay at what they were before.
func (w *cluster) checkSizes(before int) (total int) {
	w.t.Helper()
	d := get[*appsv1.Deployment](w, "web")
	for _, set := range list[*appsv1.ReplicaSet](w) {
		total += int(*set.Spec.Replicas)
	}
	surge := 0
	if limits := d.Spec.Strategy.RollingUpdate; limits != nil {
		var err error
		if surge, _, err = workload.RollingUpdateLimits(limits.MaxSurge, limits.MaxUnavailable, int(*d.Spec.Replicas)); err != nil {
			w.t.Error(err)
		}
	}
	if total > max(before, int(*d.Spec.Replicas)+surge) {
		w.t.Errorf("%s: more than %d with a surge of %d", w.sizes(), *d.Spec.Replicas, surge)
	}
	if d.Status.ObservedGeneration != d.Generation {
		w.t.Errorf("generation %d, observed %d", d.Generation, d.Status.ObservedGeneration)
	}
	return total
}
