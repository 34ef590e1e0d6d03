package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/store"
)

func statefulSet(replicas int32, change ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "db"}}
	s.Spec = appsv1.StatefulSetSpec{Replicas: &replicas, ServiceName: "db", Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, Template: template()}
	s.Spec.Template.Spec.Containers[0].Image = "v1"
	for _, c := range change {
		c(s)
	}
	return s
}

// members are the Pods as "db-0:v1 db-1:v2", those that terminate with an x.
func (w *cluster) members() string {
	var words []string
	for _, pod := range list[*corev1.Pod](w) {
		word := pod.Name + ":" + pod.Spec.Containers[0].Image
		if pod.DeletionTimestamp != nil {
			word += "x"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestStatefulSet(t *testing.T) {
	inCluster(t, func(w *cluster) {
		slow := behaviour{readyAfter: 2 * time.Second, stopsAfter: 2 * time.Second}
		w.behave("v1", slow)
		w.behave("v2", slow)
		create(w, statefulSet(3))
		w.wait(time.Second)
		w.want("one by one", w.members(), "db-0:v1")
		w.wait(2 * time.Second)
		w.want("one by one", w.members(), "db-0:v1 db-1:v1")
		w.wait(10 * time.Second)
		w.want("all", w.members(), "db-0:v1 db-1:v1 db-2:v1")
		pod := get[*corev1.Pod](w, "db-2")
		set := get[*appsv1.StatefulSet](w, "db")
		if l := pod.Labels; l[appsv1.StatefulSetPodNameLabel] != "db-2" || l[appsv1.PodIndexLabel] != "2" || l[appsv1.StatefulSetRevisionLabel] != set.Status.UpdateRevision ||
			pod.Spec.Hostname != "db-2" || pod.Spec.Subdomain != "db" || !metav1.IsControlledBy(pod, set) {
			t.Errorf("labels %v, host %s.%s", l, pod.Spec.Hostname, pod.Spec.Subdomain)
		}
		w.want("status", statusOf(set), "3/3/3 current 3 updated 3")
		modify(w, "db", func(s *appsv1.StatefulSet) { s.Spec.Template.Spec.Containers[0].Image = "v2" })
		w.wait(time.Second)
		w.want("from the top", w.members(), "db-0:v1 db-1:v1 db-2:v1x")
		w.wait(2 * time.Second)
		w.want("from the top", w.members(), "db-0:v1 db-1:v1 db-2:v2")
		w.want("status", statusOf(get[*appsv1.StatefulSet](w, "db")), "3/2/2 current 2 updated 1")
		w.wait(20 * time.Second)
		w.want("updated", w.members(), "db-0:v2 db-1:v2 db-2:v2")
		set = get[*appsv1.StatefulSet](w, "db")
		if w.want("status", statusOf(set), "3/3/3 current 3 updated 3"); set.Status.CurrentRevision != set.Status.UpdateRevision || len(list[*appsv1.ControllerRevision](w)) != 2 {
			t.Errorf("revisions %s, %s", set.Status.CurrentRevision, set.Status.UpdateRevision)
		}
		modify(w, "db", func(s *appsv1.StatefulSet) { s.Spec.Replicas = new(int32(1)) })
		w.wait(time.Second)
		w.want("shrink", w.members(), "db-0:v2 db-1:v2 db-2:v2x")
		w.wait(10 * time.Second)
		w.want("shrunk", w.members(), "db-0:v2")
		// undo
		modify(w, "db", func(s *appsv1.StatefulSet) { s.Spec.Template.Spec.Containers[0].Image = "v1" })
		w.wait(10 * time.Second)
		w.want("undone", w.members(), "db-0:v1")
		revisions := list[*appsv1.ControllerRevision](w)
		if len(revisions) != 2 || max(revisions[0].Revision, revisions[1].Revision) != 3 {
			t.Errorf("%d revisions %v, want the old one with number 3", len(revisions), revisions)
		}
	})
}

func statusOf(s *appsv1.StatefulSet) string {
	return fmt.Sprintf("%d/%d/%d current %d updated %d", s.Status.Replicas, s.Status.ReadyReplicas, s.Status.AvailableReplicas, s.Status.CurrentReplicas, s.Status.UpdatedReplicas)
}

func TestStuckStatefulSet(t *testing.T) {
	inCluster(t, func(w *cluster) {
		w.behave("bad", behaviour{readyAfter: -1})
		create(w, statefulSet(3))
		w.wait(time.Second)
		modify(w, "db", func(s *appsv1.StatefulSet) { s.Spec.Template.Spec.Containers[0].Image = "bad" })
		w.wait(time.Hour)
		w.want("a stuck Pod blocks", w.members(), "db-0:v1 db-1:v1 db-2:bad")
		modify(w, "db", func(s *appsv1.StatefulSet) { s.Spec.Template.Spec.Containers[0].Image = "v2" })
		w.wait(time.Hour)
		w.want("it blocks its own repair, as in Kubernetes", w.members(), "db-0:v1 db-1:v1 db-2:bad")
		if err := store.Delete[*corev1.Pod](w.store, "default", "db-2", store.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		w.wait(time.Minute)
		w.want("after it was deleted", w.members(), "db-0:v2 db-1:v2 db-2:v2")
	})
}

func TestPartition(t *testing.T) {
	inCluster(t, func(w *cluster) {
		create(w, statefulSet(3, func(s *appsv1.StatefulSet) {
			s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement
			s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(2))}
			s.Spec.RevisionHistoryLimit = new(int32(0))
		}))
		w.wait(time.Second)
		modify(w, "db", func(s *appsv1.StatefulSet) { s.Spec.Template.Spec.Containers[0].Image = "v2" })
		w.wait(time.Second)
		w.want("above the partition", w.members(), "db-0:v1 db-1:v1 db-2:v2")
		if err := store.Delete[*corev1.Pod](w.store, "default", "db-0", store.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		w.wait(time.Second)
		w.want("below it a Pod comes back as it was", w.members(), "db-0:v1 db-1:v1 db-2:v2")
		modify(w, "db", func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy.RollingUpdate.Partition = new(int32(0)) })
		w.wait(time.Second)
		w.want("without it", w.members(), "db-0:v2 db-1:v2 db-2:v2")
		if n := len(list[*appsv1.ControllerRevision](w)); n != 1 {
			t.Errorf("%d revisions are left, want 1", n)
		}
	})
}

func TestFailedMember(t *testing.T) {
	inCluster(t, func(w *cluster) {
		create(w, statefulSet(2))
		w.wait(time.Second)
		before := get[*corev1.Pod](w, "db-0")
		w.setReady(before, true, behaviour{ends: true})
		w.wait(8 * time.Second)
		if get[*corev1.Pod](w, "db-0").UID != before.UID {
			t.Error("a Pod that ended at once is replaced at once, again and again")
		}
		w.wait(2 * time.Second)
		if after := get[*corev1.Pod](w, "db-0"); after.UID == before.UID || after.Status.Phase != corev1.PodRunning {
			t.Errorf("phase %s, the same Pod: %v", after.Status.Phase, after.UID == before.UID)
		}
		if got := w.events("RecreatingFailedPod"); !slices.Equal(got, []string{"StatefulSet default/db is recreating failed Pod db-0"}) {
			t.Errorf("%q", got)
		}
	})
}
