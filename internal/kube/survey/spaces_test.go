package survey

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/kube"
)

// inSpace is a text for each kind in a namespace.
func inSpace(namespace string, plurals ...string) (texts []string) {
	for _, plural := range plurals {
		texts = append(texts, plural+" in "+namespace+" (forbidden)")
	}
	return texts
}

// TestReadSome: of what may not be read of all namespaces those are read in which it may, after one
// review each; namespaces and kinds that may not are named, and not asked for.
func TestReadSome(t *testing.T) {
	everything, nothing := review(false, rule("list", "*", "*")), review(false)
	blind := review(false, rule("list", "", "pods,services"), rule("list", "apps", "deployments"))
	tests := map[string]struct {
		reviews map[string]string // by namespace
		wide    []string          // kinds that may be read of all
		notSeen []string
		read    string // namespaces of which Deployments were read
	}{
		"one of three": {map[string]string{"eu": nothing, "shop": everything, "us": nothing}, nil, []string{"namespaces eu, us (forbidden)"}, "shop"},
		"some of one": {
			map[string]string{"eu": blind, "shop": everything}, nil,
			inSpace("eu", "statefulsets", "daemonsets", "replicasets", "cronjobs", "jobs", "horizontalpodautoscalers", "poddisruptionbudgets", "events"), "eu shop",
		},
		"others of all": {
			map[string]string{"eu": nothing, "shop": everything}, []string{"deployments"},
			inSpace("eu", "statefulsets", "daemonsets", "replicasets", "cronjobs", "jobs", "services", "horizontalpodautoscalers", "poddisruptionbudgets", "pods", "events"), "",
		},
		"none": {map[string]string{"eu": nothing, "shop": nothing}, nil, nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := &spaces{t: t, reviews: test.reviews, wide: test.wide}
			listener := httptest.NewServer(server)
			t.Cleanup(listener.Close)
			client := kube.New(listener.Client(), listener.URL)
			t.Cleanup(client.Close)
			s, err := Read(t.Context(), client, "")
			if test.notSeen == nil {
				if err == nil || !strings.Contains(err.Error(), "nothing may be read in all namespaces: name one with --namespace (") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil || !slices.Equal(s.NotSeen, test.notSeen) {
				t.Fatalf("not seen, with error %v, want\n%q", err, test.notSeen)
			}
			if got := strings.Join(server.read, " "); got != test.read {
				t.Errorf("Deployments were read of %q, want %q", got, test.read)
			}
			if server.reviewed != len(test.reviews)+1 {
				t.Errorf("%d reviews for %d namespaces", server.reviewed, len(test.reviews))
			}
		})
	}
}

// spaces is an API server with namespaces of which some may not be read.
type spaces struct {
	t       *testing.T
	reviews map[string]string
	wide    []string

	mu       sync.Mutex
	reviewed int
	read     []string
}

func (s *spaces) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := strings.LastIndexByte(r.URL.Path, '/')
	plural := r.URL.Path[last+1:]
	_, namespace, isOne := strings.Cut(r.URL.Path[:last], "/namespaces/")
	var body any
	switch {
	case plural == "selfsubjectrulesreviews":
		s.reviewed++
		fmt.Fprintln(w, s.answer(r.Body))
		return
	case plural == "namespaces":
		body = s.list()
	case !isOne && !slices.Contains(s.wide, plural):
		status := apierrors.NewForbidden(schema.GroupResource{Resource: plural}, "", errors.New("no")).ErrStatus
		status.Kind = "Status"
		w.WriteHeader(http.StatusForbidden)
		body = status
	default:
		if isOne && s.reviews[namespace] == review(false) {
			s.t.Errorf("it asks for %s", r.URL)
		}
		if isOne && plural == "deployments" {
			s.read = append(s.read, namespace)
		}
		body = appsv1.DeploymentList{}
	}
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.t.Error(err)
	}
}

// answer is what may be read in the namespace that a review is about.
func (s *spaces) answer(body io.Reader) string {
	var asked struct {
		Spec struct{ Namespace string }
	}
	if err := json.NewDecoder(body).Decode(&asked); err != nil {
		s.t.Error(err)
	}
	if asked.Spec.Namespace == metav1.NamespaceDefault {
		return review(true)
	}
	return s.reviews[asked.Spec.Namespace]
}

func (s *spaces) list() (list corev1.NamespaceList) {
	for name := range s.reviews {
		list.Items = append(list.Items, corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	slices.SortFunc(list.Items, func(a, b corev1.Namespace) int { return strings.Compare(a.Name, b.Name) })
	return list
}
