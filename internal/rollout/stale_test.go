package rollout_test

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/rollout"
)

// TestStaleRefusal: that no Pod could be made before the deployment began says nothing of now,
// until an Event says so anew.
func TestStaleRefusal(t *testing.T) {
	const (
		security = `pods "web-new-abcde" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false`
		quota    = `pods "web-new-abcde" is forbidden: exceeded quota: small, requested: pods=1`
	)
	for name, test := range map[string]struct {
		since   time.Duration // of the condition, from the beginning
		message string
		event   string // of an Event 20 s after the beginning; "" for none
		at      int    // the second of the verdict
		kind    rollout.Kind
	}{
		"refused since":                {time.Second, security, "", 1, rollout.Refused},
		"refused before":               {-time.Minute, security, "", 605, rollout.Refused},
		"refused before, and again":    {-time.Minute, security, security, 20, rollout.Refused},
		"refused before by quota":      {-time.Minute, quota, "", 605, rollout.Refused},
		"refused for something else":   {-time.Minute, quota, security, 20, rollout.Refused},
		"refused by quota, and again":  {-time.Minute, quota, quota, 50, rollout.Refused},
		"refused by quota, and for it": {-time.Minute, security, quota, 50, rollout.Refused},
	} {
		w := newWorld(app())
		set := func() {
			w.set.Status.Conditions = []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate",
				LastTransitionTime: metav1.NewTime(begun.Add(test.since)), Message: test.message}}
		}
		w.at(max(0, int(test.since.Seconds())), set)
		if test.event != "" {
			w.at(20, func() { w.event(w.set.UID, "", "FailedCreate", "Error creating: "+test.event) })
		}
		if at, r := w.play(700); at != test.at || r.Verdict.Outcome != rollout.Failed || r.Verdict.Kind != test.kind {
			t.Errorf("%s: after %d s %+v, want %s after %d s", name, at, r.Verdict, test.kind, test.at)
		}
	}
}

// TestRefusalMended: what was refused before the deployment is up if it is made after the time that
// the cluster takes to try again.
func TestRefusalMended(t *testing.T) {
	w := newWorld(app())
	w.set.Status.Conditions = []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate",
		LastTransitionTime: metav1.NewTime(begun.Add(-time.Hour)), Message: `pods "web-new-abcde" is forbidden: violates PodSecurity "restricted:latest"`}}
	w.at(200, func() { w.set.Status.Conditions = nil; w.ready(w.pod("web-new-x2x4z"), true) })
	if at, r := w.play(300); at != 200 || !r.Up {
		t.Errorf("after %d s %+v, want up after 200 s", at, r.Verdict)
	}
}

// TestStuckOnlyIfInTrouble: a Pod of the other revision that merely starts is replaced when it is
// ready; one that crashes is in the way.
func TestStuckOnlyIfInTrouble(t *testing.T) {
	for name, test := range map[string]struct {
		current string // status.currentRevision
		crashes bool
		at      int
		outcome rollout.Outcome
	}{
		"it starts, taken back":       {"v1", false, 102, rollout.IsUp},
		"it starts, while one rolls":  {"v2", false, 102, rollout.IsUp},
		"it crashes, taken back":      {"v1", true, 35, rollout.Failed},
		"it crashes, while one rolls": {"v2", true, 35, rollout.Failed},
	} {
		w, set := statefulWorld()
		set.Status.CurrentRevision = test.current
		w.podOfSet("s-0", "v1")
		w.podOfSet("s-1", "v1")
		old := w.podOfSet("s-2", "v2")
		w.ready(old, false)
		if test.crashes {
			crash(w, 3, old, 5, 6, 20)
		}
		w.at(100, func() { w.ready(old, true) })
		w.at(101, func() { w.facts.Pods = w.facts.Pods[:2] })
		w.at(102, func() { w.podOfSet("s-2", "v1"); set.Status.CurrentRevision = "v1" })
		if at, r := w.play(300); at != test.at || r.Verdict.Outcome != test.outcome {
			t.Errorf("%s: after %d s %+v, want %s after %d s", name, at, r.Verdict, test.outcome, test.at)
		}
	}
}
