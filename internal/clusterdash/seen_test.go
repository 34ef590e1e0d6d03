package clusterdash

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/dashboard"
)

// TestSeen: what is forbidden is named, a server that is away has been so since the first time that
// it was, and nothing is old once it is heard again.
func TestSeen(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "events"}, "", errors.New("no"))
	now := noon
	s := newSeen(func() time.Time { return now }, "pods", "events", "daemonsets")
	begun := func() bool {
		select {
		case <-s.begun:
			return true
		default:
			return false
		}
	}
	s.has("pods")
	s.refuses("events", forbidden)
	if begun() {
		t.Error("it has begun before each kind was heard")
	}
	s.refuses("daemonsets", apierrors.NewNotFound(schema.GroupResource{Resource: "daemonsets"}, ""))
	if !begun() || s.problem() != nil {
		t.Errorf("it has not begun, or sees nothing: %v", s.problem())
	}
	check := func(what string, want dashboard.ClusterState) {
		t.Helper()
		if diff := cmp.Diff(want, s.state()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	check("at first", dashboard.ClusterState{NotSeen: []string{"events (forbidden)"}})
	s.troubled("pods", errors.New("connection refused"))
	now = now.Add(time.Minute)
	s.troubled("pods", errors.New("no route to host"))
	check("away", dashboard.ClusterState{NotSeen: []string{"events (forbidden)"}, Since: noon, Problem: "no route to host"})
	s.troubled("pods", nil)
	s.has("events")
	check("again", dashboard.ClusterState{})
	s.refuses("pods", apierrors.NewUnauthorized("expired"))
	check("signed out", dashboard.ClusterState{Since: now, Problem: "it takes the credentials of the kubeconfig no longer: expired"})
}

// TestNothingSeen: who sees nothing is told why.
func TestNothingSeen(t *testing.T) {
	s := newSeen(time.Now, "pods", "events")
	s.refuses("pods", apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no")))
	s.troubled("events", errors.New("connection refused"))
	if err := s.problem(); err == nil || err.Error() != "connection refused" {
		t.Errorf("the problem is %v", err)
	}
}
