package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// podsAt answers a list of Pods at a version.
func podsAt(t *testing.T, version string, names ...string) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") != "" {
			t.Errorf("the request is %s, want a list", r.URL)
		}
		list := corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: version}}
		for _, name := range names {
			list.Items = append(list.Items, corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}})
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(list) // the client sees to it
	}
}

// watchFrom answers a watch from a version with changes, and ends it.
func watchFrom(t *testing.T, version string, lines ...string) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") != "true" || r.URL.Query().Get("resourceVersion") != version {
			t.Errorf("the request is %s, want a watch from %s", r.URL, version)
		}
		fmt.Fprintln(w, strings.Join(lines, "\n"))
	}
}

func podChange(what, name, version string) string {
	return fmt.Sprintf(`{"type":%q,"object":{"metadata":{"name":%q,"uid":%q,"resourceVersion":%q,"managedFields":[{"manager":"x"}]}}}`, what, name, name, version)
}

// TestMirror: it lists once, goes on from the last version when a watch is dropped, lists anew when
// that is too old, tells when the server is lost and back, and ends when it refuses again.
func TestMirror(t *testing.T) {
	away := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "away", http.StatusBadGateway) }
	unauthorized := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who?", http.StatusUnauthorized) }
	client := serve(t,
		podsAt(t, "7", "a", "b"),
		watchFrom(t, "7", podChange("ADDED", "c", "8"), podChange("DELETED", "a", "9")),
		watchFrom(t, "9", podChange("ADDED", "d", "10")), // it was dropped
		away,
		watchFrom(t, "10", `{"type":"ERROR","object":{"kind":"Status","status":"Failure","code":410,"reason":"Expired","message":"too old"}}`),
		podsAt(t, "20", "x"),
		unauthorized,
		watchFrom(t, "20"), // with new credentials
		unauthorized,
		unauthorized,
	)
	var seen, troubles []string
	var mirror *Mirror[corev1.Pod, *corev1.Pod, corev1.PodList, *corev1.PodList]
	mirror = NewMirror(client, func(l *corev1.PodList) []corev1.Pod { return l.Items }, MirrorOptions[corev1.Pod]{
		Kind: Pods, Namespace: "shop",
		Prune: func(p *corev1.Pod) { p.Name += "*" },
		Changed: func() {
			all, complete := mirror.All()
			var names []string
			for _, pod := range all {
				if len(pod.ManagedFields) > 0 {
					t.Errorf("%s has managed fields", pod.Name)
				}
				names = append(names, pod.Name)
			}
			slices.Sort(names)
			if !complete {
				t.Error("it is not complete after a list")
			}
			seen = append(seen, strings.Join(names, " "))
		},
		Trouble: func(err error) {
			if err != nil {
				troubles = append(troubles, "lost")
			} else {
				troubles = append(troubles, "heard")
			}
		},
	})
	if _, complete := mirror.All(); complete {
		t.Error("it is complete before a list")
	}
	err := mirror.Run(t.Context())
	if !apierrors.IsUnauthorized(err) {
		t.Errorf("it ends with %v", err)
	}
	if want := []string{"a* b*", "a* b* c*", "b* c*", "b* c* d*", "x*"}; !slices.Equal(seen, want) {
		t.Errorf("saw %q, want %q", seen, want)
	}
	if want := []string{"heard", "heard", "lost", "heard", "heard"}; !slices.Equal(troubles, want) {
		t.Errorf("the server is %q, want %q", troubles, want)
	}
}

// TestMirrorStale: what is too old again and again, as soon as it was listed, is listed with
// pauses.
func TestMirrorStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		lists := 0
		client := New(&http.Client{Transport: transport(func(r *http.Request) (int, string) {
			if r.URL.Query().Get("watch") != "" {
				return http.StatusOK, `{"type":"ERROR","object":{"kind":"Status","status":"Failure","code":410,"reason":"Expired","message":"too old"}}`
			}
			if lists++; lists > 1000 {
				cancel() // it does not pause
			}
			return http.StatusOK, `{"metadata":{"resourceVersion":"7"}}`
		})}, "http://cluster")
		mirror := NewMirror(client, func(l *corev1.PodList) []corev1.Pod { return l.Items }, MirrorOptions[corev1.Pod]{Kind: Pods})
		if err := mirror.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it ends with %v", err)
		}
		if lists < 5 || lists > 20 { // at once, then after 0.2 s, and at last each 5 s
			t.Errorf("it has listed %d times in a minute", lists)
		}
	})
}

// TestMirrorAfterStart: a server that has just started may refuse what it has allowed before. It is
// asked again, and not for ever.
func TestMirrorAfterStart(t *testing.T) {
	for name, c := range map[string]struct {
		refuses time.Duration
		begins  bool // a watch, before
		within  time.Duration
	}{"for a moment": {10 * time.Second, true, time.Hour}, "for ever": {time.Hour, true, 30 * time.Second}, "from the beginning": {time.Hour, false, time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				begun, watches := time.Now(), 0
				client := New(&http.Client{Transport: transport(func(r *http.Request) (int, string) {
					if r.URL.Query().Get("watch") == "" {
						return http.StatusOK, `{"metadata":{"resourceVersion":"7"}}`
					}
					if watches++; c.begins && watches == 1 || time.Since(begun) > c.refuses {
						return http.StatusOK, ""
					}
					return http.StatusForbidden, "not yet"
				})}, "http://cluster")
				mirror := NewMirror(client, func(l *corev1.PodList) []corev1.Pod { return l.Items }, MirrorOptions[corev1.Pod]{Kind: Pods})
				err := mirror.Run(ctx)
				if took := time.Since(begun); took > c.within || apierrors.IsForbidden(err) != (c.within < time.Hour) {
					t.Errorf("it ends after %v with %v", took, err)
				}
			})
		})
	}
}

// roundTripper is a server that is a function.
type roundTripper func(r *http.Request) (*http.Response, error)

// RoundTrip implements [http.RoundTripper].
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestMirrorBroken: that a connection breaks off is no trouble, if the next one holds; and time
// that passes without a change is no change.
func TestMirrorBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		watches := 0
		client := New(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			body := io.MultiReader(strings.NewReader(`{"metadata":{"resourceVersion":"7"}}`))
			switch from := r.URL.Query().Get("resourceVersion"); {
			case r.URL.Query().Get("watch") == "":
			case from == "7":
				if r.URL.Query().Get("allowWatchBookmarks") != "true" {
					t.Error("it takes no bookmarks")
				}
				body = io.MultiReader(strings.NewReader(podChange("BOOKMARK", "", "9")), iotest.ErrReader(errors.New("connection reset by peer")))
			default:
				if from != "9" {
					t.Errorf("it watches from %s", from)
				}
				if watches++; watches == 3 {
					cancel()
				}
				body = io.MultiReader(iotest.ErrReader(errors.New("connection reset by peer")))
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
		})}, "http://cluster")
		mirror := NewMirror(client, func(l *corev1.PodList) []corev1.Pod { return l.Items }, MirrorOptions[corev1.Pod]{Kind: Pods, Trouble: func(err error) {
			if err != nil {
				t.Errorf("it has trouble: %v", err)
			}
		}})
		if err := mirror.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("it ends with %v", err)
		}
		if all, _ := mirror.All(); len(all) > 0 {
			t.Errorf("a bookmark is among the objects: %v", all)
		}
	})
}

// TestMirrorEnds: with the cause of its context.
func TestMirrorEnds(t *testing.T) {
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	client := serve(t, podsAt(t, "7"), func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		cancel(enough)
		<-r.Context().Done()
	})
	mirror := NewMirror(client, func(l *corev1.PodList) []corev1.Pod { return l.Items }, MirrorOptions[corev1.Pod]{Kind: Pods})
	if err := mirror.Run(ctx); !errors.Is(err, enough) {
		t.Errorf("it ends with %v, want %v", err, enough)
	}
}
