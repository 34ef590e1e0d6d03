package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/kube"
)

// fakeRun answers the lists of a run by a function of the kind and of how often that was listed
// before, and each watch once by a function of the kind, after which the run is gone.
type fakeRun struct {
	list  func(kind string, before int) any
	watch func(kind string, send func(what string, o any))

	mu       sync.Mutex
	listed   map[string]int
	watching map[string]bool
}

func (f *fakeRun) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind := path.Base(r.URL.Path)
	if r.URL.Query().Get("watch") != "true" {
		f.mu.Lock()
		before := f.listed[kind]
		f.listed[kind]++
		f.mu.Unlock()
		json.NewEncoder(w).Encode(f.list(kind, before)) // a client that is gone fails its own test
		return
	}
	f.mu.Lock()
	again := f.watching[kind]
	f.watching[kind] = true
	f.mu.Unlock()
	if again {
		http.Error(w, "the run is gone", http.StatusServiceUnavailable)
		return
	}
	f.watch(kind, func(what string, o any) {
		json.NewEncoder(w).Encode(map[string]any{"type": what, "object": o}) // the same
		w.(http.Flusher).Flush()
	})
}

// open is a session with the run.
func (f *fakeRun) open(t *testing.T) *session {
	t.Helper()
	f.listed, f.watching = map[string]int{}, map[string]bool{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	client := kube.New(server.Client(), server.URL)
	t.Cleanup(client.Close)
	now, err := client.Snapshot(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return &session{client: client, Snapshot: now}
}

// eventsOf prints the Events of an object.
func (f *fakeRun) eventsOf(t *testing.T, name string, streams Streams, flags eventFlags) error {
	t.Helper()
	s := f.open(t)
	objects, err := s.findAll([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	return s.events(t.Context(), streams, flags, objects)
}

// owned is what an object has that another one may own.
func owned(name, kind, owner string) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name), ResourceVersion: "7"}
	if owner != "" {
		m.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: owner, UID: types.UID(owner), Controller: new(true)}}
	}
	return m
}

func eventAbout(kind, name string) corev1.Event {
	return corev1.Event{
		ObjectMeta: owned(name+".1", "", ""), Type: corev1.EventTypeNormal, Reason: "Seen", Message: "of " + name,
		InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: "default", Name: name, UID: types.UID(name)},
	}
}

var (
	web      = appsv1.DeploymentList{Items: []appsv1.Deployment{{ObjectMeta: owned("web", "", "")}}}
	webSet   = appsv1.ReplicaSet{ObjectMeta: owned("web-1", "Deployment", "web")}
	webPod   = corev1.Pod{ObjectMeta: owned("web-1-a", "ReplicaSet", "web-1")}
	otherPod = corev1.Pod{ObjectMeta: owned("other", "", "")}
)

// TestEventsOfWhatCameMeanwhile: the Events that are listed may be about objects that came after
// those of the run were listed.
func TestEventsOfWhatCameMeanwhile(t *testing.T) {
	run := &fakeRun{list: func(kind string, before int) any {
		switch {
		case kind == "deployments":
			return web
		case kind == "replicasets" && before > 0:
			return appsv1.ReplicaSetList{Items: []appsv1.ReplicaSet{webSet}}
		case kind == "pods" && before > 0:
			return corev1.PodList{Items: []corev1.Pod{webPod, otherPod}}
		case kind == "events":
			return corev1.EventList{Items: []corev1.Event{
				eventAbout("Deployment", "web"), eventAbout("ReplicaSet", "web-1"), eventAbout("Pod", "web-1-a"), eventAbout("Pod", "other"), eventAbout("Pod", "gone"),
			}}
		}
		return struct{}{}
	}}
	var out bytes.Buffer
	if err := run.eventsOf(t, "web", Streams{Out: &out, Err: &out}, eventFlags{}); err != nil {
		t.Fatal(err)
	}
	if got, want := messages(out.String()), "of web|of web-1|of web-1-a"; got != want {
		t.Errorf("Events %s, want %s; all:\n%s", got, want, &out)
	}
}

// TestEventsOfWhatIsGoneAgain: a Pod that no list has ever shown has its Events, those that were
// listed and those that are watched, in whatever order the watches tell of it.
func TestEventsOfWhatIsGoneAgain(t *testing.T) {
	for _, first := range []string{"events", "pods", "replicasets"} {
		t.Run(first+" first", func(t *testing.T) {
			told := map[string]chan struct{}{"events": make(chan struct{}), "pods": make(chan struct{}), "replicasets": make(chan struct{})}
			run := &fakeRun{
				list: func(kind string, _ int) any {
					switch kind {
					case "deployments":
						return web
					case "events":
						return corev1.EventList{Items: []corev1.Event{eventAbout("Pod", "web-1-a"), eventAbout("Pod", "other")}}
					}
					return struct{}{}
				},
				watch: func(kind string, send func(string, any)) {
					if kind != first {
						select {
						case <-told[first]:
						case <-time.After(time.Minute):
							t.Errorf("nobody watches %s", first)
						}
					}
					switch kind {
					case "events":
						late := eventAbout("Pod", "web-1-a")
						late.Message = "late"
						send("ADDED", late)
						send("ADDED", eventAbout("Pod", "other"))
						send("DELETED", late)
					case "pods":
						send("ADDED", otherPod)
						send("ADDED", webPod)
						send("DELETED", webPod)
					case "replicasets":
						send("ADDED", webSet)
						send("DELETED", webSet)
					}
					close(told[kind])
				},
			}
			var out bytes.Buffer
			if err := run.eventsOf(t, "web", Streams{Out: &out, Err: &out}, eventFlags{watch: true}); err != nil {
				t.Fatal(err)
			}
			if got, want := messages(out.String()), "of web-1-a|late"; got != want {
				t.Errorf("Events %s, want %s; all:\n%s", got, want, &out)
			}
			if at := columnsOf(out.String(), "MESSAGE", "of web-1-a", "late"); len(at) != 1 {
				t.Errorf("the messages begin in the columns %v, want one; all:\n%s", at, &out)
			}
		})
	}
}

// columnsOf are those in which words stand, each once.
func columnsOf(text string, words ...string) map[int]bool {
	at := map[int]bool{}
	for line := range strings.Lines(text) {
		for _, word := range words {
			if i := strings.Index(line, word); i >= 0 && strings.HasSuffix(line, word+"\n") {
				at[i] = true
			}
		}
	}
	return at
}

// messages are the last columns of what events prints.
func messages(text string) string {
	var all []string
	for line := range strings.Lines(text) {
		if _, message, ok := strings.Cut(line, "Seen"); ok {
			fields := strings.Fields(message)
			all = append(all, strings.Join(fields[1:], " "))
		}
	}
	return strings.Join(all, "|")
}
