package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/workload"
)

func TestFirstRollout(t *testing.T) { // P11 P13
	inCluster(t, func(w *cluster) {
		create(w, deployment(3))
		w.wait(0)
		set := w.setOf("v1")
		hash := set.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
		w.want("name", set.Name, "web-"+hash)
		w.want("selector", fmt.Sprint(set.Spec.Selector.MatchLabels), fmt.Sprint(map[string]string{"app": "web", "pod-template-hash": hash}))
		w.want("revision", set.Annotations[annotationRevision], "1")
		w.want("revision of the Deployment", get[*appsv1.Deployment](w, "web").Annotations[annotationRevision], "1")
		for _, pod := range list[*corev1.Pod](w) {
			if owner := metav1.GetControllerOf(pod); owner == nil || owner.UID != set.UID || !strings.HasPrefix(pod.Name, set.Name+"-") || pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey] != hash {
				t.Errorf("Pod %s with labels %v of %v", pod.Name, pod.Labels, owner)
			}
			if pod.Status.QOSClass == "" {
				t.Errorf("Pod %s has no class", pod.Name)
			}
		}
		w.want("pods", w.pods(), "v1:3")
		w.want("progress", w.progressing(), "True NewReplicaSetAvailable")
		want := appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 3, UpdatedReplicas: 3, ReadyReplicas: 3, AvailableReplicas: 3, TerminatingReplicas: new(int32(0))}
		got := get[*appsv1.Deployment](w, "web").Status
		got.Conditions = nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		w.want("events", fmt.Sprint(w.events("ScalingReplicaSet")), fmt.Sprintf("[Scaled up replica set %s from 0 to 3]", set.Name))
		if n := len(w.events("SuccessfulCreate")); n != 3 {
			t.Errorf("%d SuccessfulCreate Events, want 3", n)
		}
	})
}

// The six sequences, seen from outside: each change of the sets' sizes, and the bounds of P01 at
// each instant.
func TestRollingUpdates(t *testing.T) { // P02 P11 P14 P16 R219
	for _, tt := range []struct {
		replicas                     int32
		surge, unavailable, sequence string
	}{
		{10, "25%", "25%", "10/0 10/3 8/3 8/5 3/5 3/10 0/10"},
		{3, "1", "0", "3/0 3/1 2/1 2/2 1/2 1/3 0/3"},
		{4, "0", "1", "4/0 3/0 3/1 2/1 2/2 1/2 1/3 0/3 0/4"},
		{1, "25%", "25%", "1/0 1/1 0/1"},
		{3, "0", "10%", "3/0 2/0 2/1 1/1 1/2 0/2 0/3"},
		{4, "25%", "25%", "4/0 4/1 3/1 3/2 1/2 1/4 0/4"},
	} {
		t.Run(fmt.Sprint(tt.replicas, " ", tt.surge, " ", tt.unavailable), func(t *testing.T) {
			inCluster(t, func(w *cluster) {
				// With minReadySeconds Pods that become ready one after the other in one second
				// become available at one instant.
				create(w, deployment(tt.replicas, rolling(tt.surge, tt.unavailable), func(d *appsv1.Deployment) { d.Spec.MinReadySeconds = 1 }))
				w.wait(time.Minute)
				seen := []string{fmt.Sprint(tt.replicas, "/0")}
				w.watch(func(v view) {
					w.checkBounds(v)
					seen = append(seen, v.oldAndNew("v2"))
				})
				w.behave("v2", behaviour{readyAfter: 2 * time.Second})
				w.setImage("v2")
				w.wait(time.Minute)
				w.want("sequence", strings.Join(slices.Compact(seen), " "), tt.sequence)
				w.want("progress", w.progressing(), "True NewReplicaSetAvailable")
				events := w.events("ScalingReplicaSet")
				if n := strings.Count(tt.sequence, " "); len(events) != n+1 {
					t.Errorf("%d scalings, want %d: %v", len(events), n+1, events)
				}
			})
		})
	}
}

// checkBounds is P01 at one instant: sizes by the sets, availability by the Pods.
func (w *cluster) checkBounds(v view) {
	d := get[*appsv1.Deployment](w, "web")
	surge, unavailable, err := workload.RollingUpdateLimits(d.Spec.Strategy.RollingUpdate.MaxSurge, d.Spec.Strategy.RollingUpdate.MaxUnavailable, int(*d.Spec.Replicas))
	if err != nil {
		w.t.Error(err)
	}
	total, available := 0, 0
	for _, set := range v.sets {
		total += int(*set.Spec.Replicas)
	}
	for _, pod := range v.pods {
		if workload.IsActive(pod) && workload.Available(pod, d.Spec.MinReadySeconds, time.Now()) {
			available++
		}
	}
	if total > int(*d.Spec.Replicas)+surge || available < int(*d.Spec.Replicas)-unavailable {
		w.t.Errorf("%d Pods, %d available: out of the bounds %d and %d", total, available, int(*d.Spec.Replicas)+surge, int(*d.Spec.Replicas)-unavailable)
	}
}

func TestStalledRollout(t *testing.T) { // P04 R213 R220
	inCluster(t, func(w *cluster) {
		create(w, deployment(10, func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = new(int32(5)) }))
		w.wait(time.Second)
		w.behave("bad", behaviour{readyAfter: -1})
		w.behave("good", behaviour{readyAfter: time.Second})
		w.setImage("bad")
		w.wait(4 * time.Second)
		w.want("progress before the deadline", w.progressing(), "True ReplicaSetUpdated")
		w.wait(2 * time.Second)
		w.want("progress after it", w.progressing(), "False ProgressDeadlineExceeded")
		d := get[*appsv1.Deployment](w, "web")
		i := slices.IndexFunc(d.Status.Conditions, func(c appsv1.DeploymentCondition) bool { return c.Type == appsv1.DeploymentProgressing })
		w.want("message", d.Status.Conditions[i].Message, fmt.Sprintf("ReplicaSet %q has timed out progressing.", w.setOf("bad").Name))
		w.wait(time.Hour)
		w.want("sizes", w.sizes(), "bad:5 v1:8")
		w.setImage("good")
		w.wait(time.Minute)
		w.want("sizes after the repair", w.sizes(), "good:10")
		w.want("progress after the repair", w.progressing(), "True NewReplicaSetAvailable")
	})
}

func TestMinReadySeconds(t *testing.T) { // P05 R211
	inCluster(t, func(w *cluster) {
		create(w, deployment(2, rolling("1", "0"), func(d *appsv1.Deployment) { d.Spec.MinReadySeconds = 3 }))
		w.wait(10 * time.Second)
		w.setImage("v2")
		w.wait(2 * time.Second)
		w.want("sizes while the first is ready, but not available", w.sizes(), "v1:2 v2:1")
		for _, pod := range list[*corev1.Pod](w) {
			if pod.Spec.Containers[0].Image == "v2" { // a blip begins the wait anew
				w.setReady(pod, false, behaviour{})
				w.setReady(pod, true, behaviour{})
			}
		}
		w.wait(3*time.Second - time.Nanosecond)
		w.want("sizes just before it is available", w.sizes(), "v1:2 v2:1")
		w.wait(time.Nanosecond)
		w.want("sizes when it is", w.sizes(), "v1:1 v2:2")
		w.wait(3 * time.Second)
		w.want("sizes at the end", w.sizes(), "v2:2")
	})
}

func TestHistory(t *testing.T) { // P07 R215
	inCluster(t, func(w *cluster) {
		create(w, deployment(1, func(d *appsv1.Deployment) { d.Spec.RevisionHistoryLimit = new(int32(2)) }))
		w.wait(time.Second)
		for i := 2; i <= 5; i++ {
			image := fmt.Sprint("v", i)
			w.behave(image, behaviour{readyAfter: time.Second})
			w.setImage(image)
			w.wait(0)
			if n, want := len(list[*appsv1.ReplicaSet](w)), min(i, 4); n != want {
				t.Errorf("%d sets during rollout %d, want %d: none goes before it is complete", n, i, want)
			}
			w.wait(5 * time.Second)
		}
		var revisions []string
		for _, set := range list[*appsv1.ReplicaSet](w) {
			revisions = append(revisions, set.Annotations[annotationRevision])
		}
		slices.Sort(revisions)
		w.want("revisions", fmt.Sprint(revisions), "[3 4 5]")
	})
}

func TestRecreate(t *testing.T) { // P08 R216
	inCluster(t, func(w *cluster) {
		w.behave("v1", behaviour{stopsAfter: 10 * time.Second})
		create(w, deployment(3, recreate))
		w.wait(time.Second)
		w.watch(w.noTwoVersions)
		w.setImage("v2")
		w.wait(9 * time.Second)
		w.want("pods while the old ones stop", w.pods(), "v1:3x")
		w.wait(2 * time.Second)
		w.want("pods", w.pods(), "v2:3")
		w.want("progress", w.progressing(), "True NewReplicaSetAvailable")
	})
}

// noTwoVersions checks that no two images are there at the same time.
func (w *cluster) noTwoVersions(v view) {
	if images := v.images(); len(slices.Compact(images)) > 1 {
		w.t.Errorf("%v at the same time", v.images())
	}
}

func TestSlowStop(t *testing.T) { // P10 R210
	inCluster(t, func(w *cluster) {
		w.behave("v1", behaviour{stopsAfter: 10 * time.Second})
		create(w, deployment(2, rolling("0", "1")))
		w.wait(time.Second)
		w.setImage("v2")
		w.wait(time.Second)
		w.want("pods", w.pods(), "v1:2x v2:2")
	})
}

func TestAfterCompletion(t *testing.T) { // P09 R213
	inCluster(t, func(w *cluster) {
		create(w, deployment(2, func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = new(int32(5)) }))
		w.wait(time.Second)
		for _, pod := range list[*corev1.Pod](w) {
			w.setReady(pod, false, behaviour{})
		}
		w.wait(time.Hour)
		w.want("progress", w.progressing(), "True NewReplicaSetAvailable")
		for _, c := range get[*appsv1.Deployment](w, "web").Status.Conditions {
			if c.Type == appsv1.DeploymentAvailable {
				w.want("available", fmt.Sprint(c.Status, " ", c.Reason), "False MinimumReplicasUnavailable")
			}
		}
	})
}
