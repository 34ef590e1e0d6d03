package survey

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/kube"
)

// partial is an API server whose namespaces may be read one by one, if at all: of each it is known
// which kinds may be. Of "" these are kinds that may be read of all at once. Each has a Pod that
// was killed.
type partial map[string][]string

// ServeHTTP implements [http.Handler].
func (p partial) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	plural, namespace := parts[len(parts)-1], ""
	if i := slices.Index(parts, "namespaces"); i >= 0 && i+1 < len(parts) {
		namespace = parts[i+1]
	}
	code, answer := http.StatusOK, any(map[string]any{"items": []any{}})
	switch {
	case plural == "selfsubjectrulesreviews":
		code = http.StatusNotFound
	case !slices.Contains(p[namespace], plural):
		refusal := apierrors.NewForbidden(schema.GroupResource{Resource: plural}, "", errors.New("no")).ErrStatus
		refusal.Kind = "Status"
		code, answer = http.StatusForbidden, refusal
	case plural == "namespaces":
		list := corev1.NamespaceList{}
		for _, name := range slices.Sorted(maps.Keys(p))[1:] {
			list.Items = append(list.Items, corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
		}
		answer = list
	case plural == "pods":
		pod := aPod()
		pod.Namespace, pod.UID = namespace, types.UID("u-"+namespace)
		answer = corev1.PodList{Items: []corev1.Pod{pod}}
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer) // the client sees to it
}

// TestReadByNamespace: what may not be read of all at once is read where it may be, and the rest is
// named.
func TestReadByNamespace(t *testing.T) {
	var all []string
	for _, step := range (&Survey{}).steps() {
		all = append(all, step.plural)
	}
	without := func(plural string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == plural })
	}
	forbidden := func(s string) string { return s + " (forbidden)" }
	for name, c := range map[string]struct {
		server  partial
		notSeen []string
		pods    int
		fails   bool
	}{
		"two of four": {partial{"": {"namespaces"}, "a": all, "b": nil, "c": all, "d": nil}, []string{forbidden("namespaces b, d")}, 2, false},
		"one without Events": {
			partial{"": {"namespaces"}, "a": all, "b": without("events"), "c": nil}, []string{forbidden("namespace c"), "events in namespace b (forbidden)"}, 2, false,
		},
		"Events nowhere":           {partial{"": {"namespaces"}, "a": without("events"), "b": nil}, []string{forbidden("events"), forbidden("namespace b")}, 1, false},
		"all but Pods at once":     {partial{"": append(without("pods"), "namespaces"), "a": {"pods"}, "b": nil}, []string{"pods in namespace b (forbidden)"}, 1, false},
		"nobody tells which":       {partial{"": nil, "a": all}, nil, 0, true},
		"nothing in any of them":   {partial{"": {"namespaces"}, "a": nil, "b": nil}, nil, 0, true},
		"all of them as they were": {partial{"": append(slices.Clone(all), "namespaces"), "a": nil}, nil, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.server)
			defer server.Close()
			client := kube.New(server.Client(), server.URL)
			defer client.Close()
			s, err := Read(t.Context(), client, "")
			if _, isForbidden := errors.AsType[*ForbiddenError](err); isForbidden != c.fails || !c.fails && err != nil {
				t.Fatalf("error %v", err)
			}
			if c.fails {
				return
			}
			want := append(slices.Clone(c.notSeen), forbidden("nodes/proxy"))
			if !slices.Equal(s.NotSeen, want) {
				t.Errorf("not seen: %q, want %q", s.NotSeen, want)
			}
			if seen := s.Seen.Containers(); len(seen) != c.pods {
				t.Errorf("saw %+v, want Pods of %d workloads", seen, c.pods)
			}
		})
	}
}
