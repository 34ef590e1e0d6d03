package survey

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/kube"
)

// server is an API server that has a Pod and its Events, and refuses some.
type server struct {
	t *testing.T
	// refuses are plural names of kinds; absent those that it does not know.
	refuses, absent []string
	// review is what it answers to the question what is allowed; "" that there is no such question.
	review string
	// metrics is what the kubelet says; "" that it may not be asked, "-" that there is none.
	metrics string

	mu    sync.Mutex
	asked []string
}

func (s *server) client() *kube.Client {
	http := httptest.NewServer(s)
	s.t.Cleanup(http.Close)
	client := kube.New(http.Client(), http.URL)
	s.t.Cleanup(client.Close)
	return client
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	plural := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	s.mu.Lock()
	s.asked = append(s.asked, plural)
	s.mu.Unlock()
	answer := func(code int, value any) {
		w.WriteHeader(code)
		if err := json.NewEncoder(w).Encode(value); err != nil {
			s.t.Error(err)
		}
	}
	status := func(err *apierrors.StatusError) {
		err.ErrStatus.Kind = "Status"
		answer(int(err.ErrStatus.Code), err.ErrStatus)
	}
	group := schema.GroupResource{Resource: plural}
	switch {
	case plural == "selfsubjectrulesreviews":
		if s.review == "" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintln(w, s.review)
	case plural == "probes":
		switch s.metrics {
		case "":
			status(apierrors.NewForbidden(group, "", errors.New("no")))
		case "-":
			http.NotFound(w, r)
		default:
			fmt.Fprintln(w, s.metrics)
		}
	case slices.Contains(s.refuses, plural):
		status(apierrors.NewForbidden(group, "", errors.New("no")))
	case slices.Contains(s.absent, plural):
		http.NotFound(w, r)
	case plural == "pods":
		answer(http.StatusOK, corev1.PodList{Items: []corev1.Pod{aPod()}})
	case plural == "events" && r.URL.Query().Get("fieldSelector") == "involvedObject.kind=Pod":
		s.events(r.URL.Query().Get("continue"), answer, status)
	default:
		answer(http.StatusOK, map[string]any{"items": []any{}})
	}
}

// events gives an Event a page. After the first, the list is too old once.
func (s *server) events(token string, answer func(int, any), status func(*apierrors.StatusError)) {
	event := corev1.Event{InvolvedObject: corev1.ObjectReference{Kind: "Pod", UID: "u", FieldPath: "spec.containers{web}"}, Reason: "Killing",
		Message: "Container web failed liveness probe, will be restarted", Count: 3}
	s.mu.Lock()
	times := 0
	for _, plural := range s.asked {
		if plural == "events" {
			times++
		}
	}
	s.mu.Unlock()
	switch {
	case times == 2:
		status(apierrors.NewResourceExpired("too old"))
	case token == "":
		answer(http.StatusOK, corev1.EventList{ListMeta: metav1.ListMeta{Continue: "more"}, Items: []corev1.Event{event}})
	default:
		answer(http.StatusOK, corev1.EventList{})
	}
}

func aPod() corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: types.UID("u")},
		Spec:       corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "web", Image: "web"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "web", RestartCount: 3}}},
	}
}

// rule is a rule of a review.
func rule(verb, group, resources string) string {
	return fmt.Sprintf(`{"verbs":[%q],"apiGroups":[%q],"resources":["%s"]}`, verb, group, strings.ReplaceAll(resources, ",", `","`))
}

func review(incomplete bool, rules ...string) string {
	return fmt.Sprintf(`{"status":{"incomplete":%v,"resourceRules":[%s]}}`, incomplete, strings.Join(rules, ","))
}

// TestRead: what may be read is read, once, and what may not be is named and not asked for.
func TestRead(t *testing.T) {
	const counters = `prober_probe_total{container="web",pod_uid="u",probe_type="Liveness",result="failed"} 83`
	for name, c := range map[string]struct {
		*server
		namespace string
		notSeen   []string
		failures  int // of liveness
		kills     int
		unasked   string
	}{
		"everything":             {&server{metrics: counters, review: review(true)}, "shop", nil, 83, 3, "nodes"},
		"a run":                  {&server{metrics: "-", absent: []string{"daemonsets", "jobs", "cronjobs"}}, "shop", nil, 0, 3, ""},
		"no kubelet":             {&server{}, "", []string{"nodes/proxy (forbidden)"}, 0, 3, ""},
		"Events are refused":     {&server{metrics: counters, refuses: []string{"events"}}, "", []string{"events (forbidden)"}, 83, 0, ""},
		"no answer but nonsense": {&server{metrics: "prober_probe_total{"}, "", []string{"nodes/proxy (1 of 1 kubelets did not answer)"}, 0, 3, ""},
		"a review forbids": {
			&server{review: review(false, rule("list", "", "pods,services"), rule("*", "apps", "*"))}, "shop",
			[]string{
				"cronjobs (forbidden)", "jobs (forbidden)", "horizontalpodautoscalers (forbidden)", "poddisruptionbudgets (forbidden)",
				"events (forbidden)", "nodes/proxy (forbidden)",
			}, 0, 0, "events",
		},
		"a review of one namespace says nothing of lists of all": {
			&server{review: review(false)}, "", []string{"nodes/proxy (forbidden)"}, 0, 3, "probes",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			s, err := Read(t.Context(), c.client(), c.namespace)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(s.NotSeen, c.notSeen) {
				t.Errorf("not seen: %v, want %v", s.NotSeen, c.notSeen)
			}
			seen := s.Seen.Containers()
			if len(seen) != 1 || seen[0].Restarts != 3 || seen[0].Probes[2].Failures != c.failures || seen[0].Probes[2].Kills != c.kills {
				t.Errorf("saw %+v, want %d failures and %d kills", seen, c.failures, c.kills)
			}
			if slices.Contains(c.asked, c.unasked) {
				t.Errorf("asked for %v, among them %s", c.asked, c.unasked)
			}
		})
	}
}

// TestReadNothing: where nothing may be read, or nobody answers, there is nothing to judge.
func TestReadNothing(t *testing.T) {
	s := &server{t: t, review: review(false)}
	_, err := Read(t.Context(), s.client(), "shop")
	if forbidden, ok := errors.AsType[*ForbiddenError](err); !ok || !strings.Contains(err.Error(), "nothing may be read in namespace shop: ") {
		t.Errorf("error %v, %v", err, forbidden)
	}
	if len(s.asked) != 1 {
		t.Errorf("asked for %v", s.asked)
	}
	var all []string
	for _, step := range (&Survey{}).steps() {
		all = append(all, step.plural)
	}
	s = &server{t: t, refuses: all}
	_, err = Read(t.Context(), s.client(), "")
	if _, ok := errors.AsType[*ForbiddenError](err); !ok || !strings.Contains(err.Error(), "nothing may be read in all namespaces: name one with --namespace (") {
		t.Errorf("error %v", err)
	}
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status"}, Status: "Failure", Message: "Unauthorized", Reason: metav1.StatusReasonUnauthorized, Code: 401})
	}))
	t.Cleanup(failing.Close)
	want := "cannot ask what may be read: " + failing.URL + " does not take the credentials of the kubeconfig, which are wrong or have expired (log in to the cluster again): Unauthorized"
	if _, err := Read(t.Context(), kube.New(failing.Client(), failing.URL), ""); err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
}
