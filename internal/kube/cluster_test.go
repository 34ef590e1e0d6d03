package kube

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestSnapshotOfCluster: a cluster has no reports of probes, and says so in two ways: that there is
// no such group, or to who may not ask for it, that it is forbidden.
func TestSnapshotOfCluster(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Group: "probity.run", Resource: "probereports"}, "", errors.New("no")).Status()
	forbidden.Kind = "Status"
	broken := apierrors.NewInternalError(errors.New("no")).Status()
	broken.Kind = "Status"
	unseen := apierrors.NewForbidden(schema.GroupResource{Group: "batch", Resource: "jobs"}, "", errors.New("no")).Status()
	unseen.Kind = "Status"
	const group = "GET /apis/probity.run/v1/namespaces/shop/probereports"
	for name, c := range map[string]struct {
		last   func(w http.ResponseWriter, r *http.Request)
		silent bool
		err    bool
	}{
		"no such group": {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, true, false},
		"forbidden":     {answer(t, http.StatusForbidden, group, forbidden), true, false},
		"a run":         {answer(t, http.StatusOK, group, struct{}{}), false, false},
		"broken":        {answer(t, http.StatusInternalServerError, group, broken), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			none := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }
			answers := []func(http.ResponseWriter, *http.Request){none, none, none, none,
				answer(t, http.StatusOK, "GET /api/v1/namespaces/shop/pods", corev1.PodList{Items: []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "web"}}}}), c.last}
			if c.silent {
				answers = append(answers, answer(t, http.StatusOK, "GET /apis/apps/v1/namespaces/shop/daemonsets", appsv1.DaemonSetList{Items: []appsv1.DaemonSet{{}}}),
					answer(t, http.StatusForbidden, "GET /apis/batch/v1/namespaces/shop/jobs", unseen))
			}
			client := serve(t, answers...)
			s, err := client.Snapshot(t.Context(), "shop")
			if c.err != (err != nil) || err == nil && (s.Silent != c.silent || len(s.Pods) != 1) {
				t.Errorf("snapshot %+v, error %v", s, err)
			}
			if err == nil && c.silent && (len(s.DaemonSets) != 1 || !slices.Equal(s.Unseen, []Kind{Jobs})) {
				t.Errorf("%d DaemonSets, not seen: %v", len(s.DaemonSets), s.Unseen)
			}
		})
	}
}

// TestCommand: what people are told to run asks the same server.
func TestCommand(t *testing.T) {
	for want, s := range map[string]*Snapshot{
		"probity logs web":                        {},
		"probity logs web --context prod -n shop": {Flags: "--context prod -n shop"},
		"kubectl probity logs web -n shop":        {Program: "kubectl probity", Flags: "-n shop"},
	} {
		if got := s.Command("logs web"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestAccess: a verb on a resource is allowed by a rule that has both, or a star.
func TestAccess(t *testing.T) {
	client := serve(t, answer(t, http.StatusCreated, "POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews", map[string]any{"status": map[string]any{
		"resourceRules": []map[string]any{
			{"verbs": []string{"get", "list"}, "apiGroups": []string{"", "apps"}, "resources": []string{"pods", "deployments"}},
			{"verbs": []string{"*"}, "apiGroups": []string{"batch"}, "resources": []string{"*"}},
			{"verbs": []string{"list"}, "apiGroups": []string{""}, "resources": []string{"events"}, "resourceNames": []string{"one"}},
		},
	}}))
	access, err := client.Access(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		verb, group, resource string
		forbids               bool
	}{
		{"list", "", "pods", false}, {"list", "apps", "deployments", false}, {"watch", "", "pods", true}, {"list", "", "services", true},
		{"list", "batch", "jobs", false}, {"list", "policy", "jobs", true}, {"list", "", "events", true},
	} {
		if got := access.Forbids(c.verb, c.group, c.resource); got != c.forbids {
			t.Errorf("%s %s %s: forbids %v", c.verb, c.group, c.resource, got)
		}
	}
	access.Incomplete = true
	if access.Forbids("list", "", "services") || (*Access)(nil).Forbids("list", "", "services") {
		t.Error("what nobody tells is forbidden")
	}
}
