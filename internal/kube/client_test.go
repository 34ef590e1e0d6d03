package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// serve makes a client of a server that answers in turn.
func serve(t *testing.T, answers ...func(w http.ResponseWriter, r *http.Request)) *Client {
	t.Helper()
	turn := make(chan int, 1)
	turn <- 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := <-turn
		turn <- i + 1
		if i >= len(answers) {
			t.Errorf("there is no answer for %s %s", r.Method, r.URL)
			return
		}
		answers[i](w, r)
	}))
	t.Cleanup(server.Close)
	client := New(server.Client(), server.URL)
	t.Cleanup(client.Close)
	return client
}

// answer gives a value as JSON to a request that has to be for a path.
func answer(t *testing.T, code int, request string, value any) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		if got := r.Method + " " + r.URL.RequestURI(); got != request {
			t.Errorf("the request is %s, want %s", got, request)
		}
		w.WriteHeader(code)
		if err := json.NewEncoder(w).Encode(value); err != nil {
			t.Error(err)
		}
	}
}

// TestRefusals: errors are the Status of the server; what is none is quoted.
func TestRefusals(t *testing.T) {
	status := apierrors.NewNotFound(corev1.Resource("pods"), "web").Status()
	status.Kind = "Status"
	client := serve(t,
		answer(t, http.StatusNotFound, "PATCH /api/v1/namespaces/default/pods/web/scale?fieldManager=probity-cli", status),
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no\x1b[2J", http.StatusBadGateway) },
	)
	at := Ref{Pods, "default", "web"}
	err := client.Patch(t.Context(), at, "scale", types.MergePatchType, []byte("{}"), nil)
	if !apierrors.IsNotFound(err) || err.Error() != `pods "web" not found` {
		t.Errorf("error %v", err)
	}
	err = client.Delete(t.Context(), at, metav1.DeleteOptions{})
	if err == nil || !strings.HasPrefix(err.Error(), "the server answers 502 Bad Gateway: no") {
		t.Errorf("error %v", err)
	}
}

// TestAwait: it reads the object, watches it from there, reads it anew when changes were missed or
// the server has ended the watch, and ends when it is as it is wanted.
func TestAwait(t *testing.T) {
	list := func(version string, phases ...corev1.PodPhase) corev1.PodList {
		l := corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: version}}
		for _, phase := range phases {
			l.Items = append(l.Items, corev1.Pod{Status: corev1.PodStatus{Phase: phase}})
		}
		return l
	}
	const path = "GET /api/v1/namespaces/default/pods?fieldSelector=metadata.name%3Dweb"
	changes := func(version string, lines ...string) func(w http.ResponseWriter, r *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			if got, want := r.Method+" "+r.URL.RequestURI(), path+"&resourceVersion="+version+"&watch=true"; got != want {
				t.Errorf("the request is %s, want %s", got, want)
			}
			fmt.Fprintln(w, strings.Join(lines, "\n"))
		}
	}
	client := serve(t,
		answer(t, http.StatusOK, path, list("7")),
		changes("7", `{"type":"ERROR","object":{"kind":"Status","status":"Failure","code":410,"reason":"Expired"}}`),
		answer(t, http.StatusOK, path, list("9", corev1.PodPending)),
		changes("9", `{"type":"DELETED","object":{}}`, `{"type":"ADDED","object":{"status":{"phase":"Running"}}}`, `{"type":"MODIFIED","object":{"status":{"phase":"Failed"}}}`),
	)
	var seen []string
	err := Await(t.Context(), client, Ref{Pods, "default", "web"}, nil, func(pod *corev1.Pod) (bool, error) {
		if pod == nil {
			seen = append(seen, "none")
			return false, nil
		}
		seen = append(seen, string(pod.Status.Phase))
		return pod.Status.Phase == corev1.PodRunning, nil
	})
	if want := []string{"none", "Pending", "none", "Running"}; err != nil || !slices.Equal(seen, want) {
		t.Errorf("saw %v, %v, want %v", seen, err, want)
	}
}

// TestAwaitEnds: the error is the cause of the context.
func TestAwaitEnds(t *testing.T) {
	client := serve(t,
		answer(t, http.StatusOK, "GET /api/v1/namespaces/default/pods?fieldSelector=metadata.name%3Dweb", corev1.PodList{}),
		func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	)
	late := errors.New("too late")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, late)
	defer cancel()
	err := Await(ctx, client, Ref{Pods, "default", "web"}, nil, func(*corev1.Pod) (bool, error) { return false, nil })
	if !errors.Is(err, late) {
		t.Errorf("error %v, want %v", err, late)
	}
}

// TestUndo: the template of the revision before, without the label of its ReplicaSet.
func TestUndo(t *testing.T) {
	s := shop()
	s.ReplicaSets[0].Annotations = map[string]string{annotationRevision: "2"}
	older := s.ReplicaSets[0].DeepCopy()
	older.Annotations[annotationRevision], older.Name, older.UID = "1", "web-0", "r0"
	older.Spec.Template.Labels = map[string]string{"app": "web", labelTemplateHash: "0"}
	s.ReplicaSets = append(s.ReplicaSets, *older)
	var body string
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got, want := r.Method+" "+r.URL.RequestURI(), "PATCH /apis/apps/v1/namespaces/default/deployments/web?fieldManager=probity-cli"; got != want {
			t.Errorf("the request is %s, want %s", got, want)
		}
		text, _ := io.ReadAll(r.Body)
		body = string(text)
		fmt.Fprintln(w, "{}")
	})
	if same, err := client.Undo(t.Context(), s, &s.Deployments[0], 0); same || err != nil {
		t.Errorf("same %v, error %v", same, err)
	}
	if !strings.HasPrefix(body, `[{"op":"replace","path":"/spec/template","value":{"metadata":{"labels":{"app":"web"}}`) {
		t.Errorf("the patch is %s", body)
	}
	if same, err := client.Undo(t.Context(), s, &s.Deployments[0], 2); !same || err != nil {
		t.Errorf("to the revision that it has: same %v, error %v", same, err)
	}
	if _, err := client.Undo(t.Context(), s, &s.Deployments[0], 9); err == nil || !strings.Contains(err.Error(), "unable to find specified revision 9") {
		t.Errorf("to none: error %v", err)
	}
}

// TestFollow: a watch that the server ends goes on from the last version that came, until nobody
// answers; what the server refuses is an error.
func TestFollow(t *testing.T) {
	send := func(request string, changes ...string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			if got := r.URL.RequestURI(); got != request {
				t.Errorf("the request is %s, want %s", got, request)
			}
			for _, change := range changes {
				io.WriteString(w, change) // a client that is gone fails the test itself
			}
		}
	}
	const pod = `{"type":"ADDED","object":{"metadata":{"name":"web","resourceVersion":"%s"}}}`
	gone := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	expired := `{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}`
	for name, test := range map[string]struct {
		answers []func(http.ResponseWriter, *http.Request)
		want    string
		fails   bool
	}{
		"it goes on": {[]func(http.ResponseWriter, *http.Request){
			send("/api/v1/pods?allowWatchBookmarks=true&resourceVersion=3&watch=true"),
			send("/api/v1/pods?allowWatchBookmarks=true&resourceVersion=3&watch=true", fmt.Sprintf(pod, "4"), fmt.Sprintf(pod, "5")),
			send("/api/v1/pods?allowWatchBookmarks=true&resourceVersion=5&watch=true", fmt.Sprintf(pod, "6")), gone,
		}, "4 5 6", false},
		"too old": {[]func(http.ResponseWriter, *http.Request){
			send("/api/v1/pods?allowWatchBookmarks=true&resourceVersion=3&watch=true", fmt.Sprintf(pod, "4")), send("/api/v1/pods?allowWatchBookmarks=true&resourceVersion=4&watch=true", expired),
		}, "4", true},
		"nobody answers": {[]func(http.ResponseWriter, *http.Request){gone}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			var failure error
			for change, err := range Follow[corev1.Pod](t.Context(), serve(t, test.answers...), Pods, "", metav1.ListOptions{ResourceVersion: "3"}, nil) {
				if failure = err; err == nil {
					got = append(got, change.Object.ResourceVersion)
				}
			}
			if strings.Join(got, " ") != test.want || (failure != nil) != test.fails {
				t.Errorf("got %v, %v, want %s and an error %v", got, failure, test.want, test.fails)
			}
		})
	}
}

// transport is a server that is a function: the code and the body for a request.
type transport func(r *http.Request) (code int, body string)

// RoundTrip implements [http.RoundTripper].
func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	code, body := f(r)
	header := http.Header{"Content-Type": {"application/json"}}
	if code == http.StatusTooManyRequests {
		header.Set("Retry-After", "2")
	}
	return &http.Response{StatusCode: code, Status: http.StatusText(code), Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// TestBusy: a server that says when it has time is asked again then, with the same body, some
// times; then it has refused.
func TestBusy(t *testing.T) {
	for name, test := range map[string]struct {
		busy int // requests for which the server has no time
		took time.Duration
		err  bool
	}{"for a moment": {3, 6 * time.Second, false}, "for ever": {1000, 8 * time.Second, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun, requests := time.Now(), 0
				client := New(&http.Client{Transport: transport(func(r *http.Request) (int, string) {
					if body, _ := io.ReadAll(r.Body); string(body) != "{}" {
						t.Errorf("the body is %q", body)
					}
					if requests++; requests <= test.busy {
						return http.StatusTooManyRequests, "too many requests"
					}
					return http.StatusOK, `{"kind":"ConfigMap"}`
				})}, "http://cluster")
				_, err := client.Apply(t.Context(), Ref{Kind: Pods, Name: "web"}, []byte("{}"), ApplyOptions{})
				if apierrors.IsTooManyRequests(err) != test.err || (err != nil) != test.err {
					t.Errorf("error %v", err)
				}
				if took := time.Since(begun); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
			})
		})
	}
}

// TestExpired: whatever is asked for with credentials that the server takes no longer is asked for
// once more, with the same body.
func TestExpired(t *testing.T) {
	for name, good := range map[string]int{"with new ones": 2, "in vain": 0} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			client := New(&http.Client{Transport: transport(func(r *http.Request) (int, string) {
				asked++
				if body, _ := io.ReadAll(r.Body); string(body) != "{}" {
					t.Errorf("request %d has the body %q", asked, body)
				}
				if asked == good {
					return http.StatusOK, "{}"
				}
				return http.StatusUnauthorized, "who?"
			})}, "http://cluster")
			err := client.Patch(t.Context(), Ref{Kind: Pods, Namespace: "shop", Name: "a"}, "", types.MergePatchType, []byte("{}"), nil)
			if apierrors.IsUnauthorized(err) != (good == 0) || asked != 2 {
				t.Errorf("error %v after %d requests", err, asked)
			}
		})
	}
}
