package logs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/kube"
)

func pod(name string, restarts int32) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name)},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: "app", RestartCount: restarts, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
		}}},
	}
}

func text(name, lines string) *source {
	return &source{pod: pod(name, 0), container: "app", body: io.NopCloser(strings.NewReader("")), text: bufio.NewReader(strings.NewReader(lines))}
}

// TestMerge: lines of several logs come in the order of their times, those of one in their own.
func TestMerge(t *testing.T) {
	a := text("a", "2026-11-29T12:00:01Z one\n2026-11-29T12:00:03Z three\ncontinued\n2026-11-29T12:00:03Z also three\n")
	b := text("b", "2026-11-29T12:00:02.5Z two\n2026-11-29T12:00:04Z four, without its end")
	var got []string
	err := merge([]*source{a, b, text("c", "")}, func(line Line) error {
		got = append(got, line.Pod.Name+": "+line.Text)
		return nil
	})
	want := "a: one|b: two|a: three|a: continued|a: also three|b: four, without its end"
	if strings.Join(got, "|") != want || err != nil {
		t.Errorf("got %q, %v, want %q", strings.Join(got, "|"), err, want)
	}
	stop := errors.New("enough")
	if err := merge([]*source{text("a", "2026-11-29T12:00:01Z one\n")}, func(Line) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error %v, want %v", err, stop)
	}
}

// TestSeam: of lines that a second reader of a log sees, those are new that the first one has not
// given, also where several have one time.
func TestSeam(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	var given seam
	for _, s := range []int{1, 2, 2} {
		given.pass(Line{Time: at(s)})
	}
	again := reader{given: given}
	var got []bool
	for _, s := range []int{2, 2, 2, 3} {
		got = append(got, again.isNew(Line{Time: at(s)}))
	}
	if want := []bool{false, false, true, true}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("new: %v, want %v", got, want)
	}
}

// TestFollow: each line comes once, of a restarted instance too, and of a Pod that comes later; it
// ends with the Pod that is followed.
func TestFollow(t *testing.T) {
	restarted, ended := make(chan struct{}), make(chan struct{})
	var once sync.Once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, flush := r.URL.Query(), w.(http.Flusher).Flush
		switch {
		case query.Get("watch") == "true":
			for _, line := range []string{
				`{"type":"ADDED","object":` + object(0) + `}`, `{"type":"MODIFIED","object":` + object(1) + `}`, `{"type":"DELETED","object":` + object(1) + `}`,
			} {
				fmt.Fprintln(w, line)
				flush()
				next := restarted
				if strings.Contains(line, "MODIFIED") {
					next = ended
				}
				select {
				case <-next:
				case <-r.Context().Done():
				}
			}
			<-r.Context().Done()
		case query.Get("follow") != "true":
			fmt.Fprintln(w, "2026-11-29T12:00:01Z one\n2026-11-29T12:00:02Z two")
		case query.Get("sinceTime") == "2026-11-29T12:00:02Z" && !isClosed(restarted):
			fmt.Fprintln(w, "2026-11-29T12:00:02Z two\n2026-11-29T12:00:02Z also two")
			flush()
			once.Do(func() { close(restarted) })
		default:
			fmt.Fprintln(w, "2026-11-29T12:00:03Z three")
			flush()
			close(ended)
		}
	}))
	defer server.Close()
	client := kube.New(server.Client(), server.URL)
	defer client.Close()
	var got []string
	r := New(client, Options{Follow: true}, func(line Line) error {
		got = append(got, line.Text)
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := errors.Join(r.Read(ctx, []*corev1.Pod{pod("web", 0)}), r.Follow(ctx, Selection{Namespace: "default", One: true}))
	if want := "one|two|also two|three"; strings.Join(got, "|") != want || err != nil || ctx.Err() != nil {
		t.Errorf("got %q, %v, %v, want %q", strings.Join(got, "|"), err, ctx.Err(), want)
	}
}

// TestFollowMissesNone: what an instance printed at its end is read from the instance before, also
// if it was over before anybody looked; and what a node says in place of a log is no line.
func TestFollowMissesNone(t *testing.T) {
	const lie = "unable to retrieve container logs for containerd://1"
	for name, test := range map[string]struct {
		read, previous string // what the reading gets, and then the instance before
		seen           []int  // the restarts that the watch tells
		want           string
	}{
		"restarted after the reading": {"2026-11-29T12:00:01Z one", "2026-11-29T12:00:01Z one\n2026-11-29T12:00:02Z two", []int{1}, "one|two|newest 1"},
		"restarted twice":             {"2026-11-29T12:00:01Z one", "2026-11-29T12:00:04Z two", []int{0, 2}, "one|newest 0|two|newest 2"},
		"no log":                      {"2026-11-29T12:00:01Z one", lie, []int{1}, "one|newest 1"},
		"none was read":               {"", lie, []int{1}, "newest 1"},
		"the same instance":           {"2026-11-29T12:00:01Z one", "2026-11-29T12:00:00Z old", []int{0}, "one|newest 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			streamed := make(chan string, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				query := r.URL.Query()
				switch {
				case query.Get("watch") == "true":
					for _, restarts := range test.seen {
						streamed <- fmt.Sprintf("2026-11-29T12:00:0%dZ newest %d", 3+restarts, restarts)
						fmt.Fprintln(w, `{"type":"MODIFIED","object":`+object(restarts)+`}`)
						w.(http.Flusher).Flush()
					}
					streamed <- "" // the last one is read
					fmt.Fprintln(w, `{"type":"DELETED","object":`+object(0)+`}`)
				case query.Get("follow") == "true":
					fmt.Fprintln(w, <-streamed)
				case query.Get("previous") == "true":
					fmt.Fprintln(w, test.previous)
				default:
					fmt.Fprintln(w, test.read)
				}
			}))
			defer server.Close()
			client := kube.New(server.Client(), server.URL)
			defer client.Close()
			var got []string
			r := New(client, Options{Follow: true}, func(line Line) error {
				if line.Text != "" {
					got = append(got, line.Text)
				}
				return nil
			})
			err := errors.Join(r.Read(t.Context(), []*corev1.Pod{pod("web", 0)}), r.Follow(t.Context(), Selection{Namespace: "default", One: true}))
			if strings.Join(got, "|") != test.want || err != nil {
				t.Errorf("got %q, %v, want %q", strings.Join(got, "|"), err, test.want)
			}
		})
	}
}

// lasting answers each log with a line, and watches one after the other: "" is an answer of a
// server that is down, and after the last one a watch lasts until its client ends it.
type lasting struct {
	mu      sync.Mutex // guards watches
	watches []string
}

// RoundTrip implements [http.RoundTripper].
func (l *lasting) RoundTrip(r *http.Request) (*http.Response, error) {
	response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r}
	if r.URL.Query().Get("watch") != "true" {
		name := strings.Split(r.URL.Path, "/")[6]
		response.Body = io.NopCloser(strings.NewReader("2026-11-29T12:00:01Z line of " + name + "\n"))
		return response, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.watches) == 0 {
		reader, writer := io.Pipe()
		context.AfterFunc(r.Context(), func() { writer.CloseWithError(r.Context().Err()) })
		response.Body = reader
		return response, nil
	}
	response.Body = io.NopCloser(strings.NewReader(l.watches[0]))
	if l.watches[0] == "" {
		response.StatusCode = http.StatusServiceUnavailable
	}
	l.watches = l.watches[1:]
	return response, nil
}

// TestFollowLasts: a cluster's Pods are followed on when it was away, and all anew when changes
// were missed; a run that does not answer any more has ended.
func TestFollowLasts(t *testing.T) {
	change := func(name string) string {
		return `{"type":"ADDED","object":` + strings.ReplaceAll(object(0), `"web"`, `"`+name+`"`) + "}\n"
	}
	const expired = `{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}`
	for name, test := range map[string]struct {
		lasts        bool
		want, hearts string
	}{
		"a cluster": {true, "line of web|line of late|line of last", "heard lost lost heard heard heard"},
		"a run":     {false, "line of web", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				server := &lasting{watches: []string{change("web"), "", "", change("late"), expired, change("web") + change("late") + change("last")}}
				var got, hearts []string
				r := New(kube.New(&http.Client{Transport: server}, "http://cluster"), Options{Follow: true}, func(line Line) error {
					if got = append(got, line.Text); line.Text == "line of last" {
						cancel()
					}
					return nil
				})
				selection := Selection{Namespace: "default"}
				if test.lasts {
					selection.Trouble = func(err error) { hearts = append(hearts, map[bool]string{true: "heard", false: "lost"}[err == nil]) }
				}
				if err := r.Follow(ctx, selection); err != nil {
					t.Error(err)
				}
				if all := strings.Join(got, "|"); all != test.want {
					t.Errorf("got %q, want %q", all, test.want)
				}
				if all := strings.Join(hearts, " "); all != test.hearts {
					t.Errorf("the server is %q, want %q", all, test.hearts)
				}
			})
		})
	}
}

// TestFollowTooMany: a log that the server lets nobody follow any more is an error, and not one
// that is at its end.
func TestFollowTooMany(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") != "true" {
			http.Error(w, `{"kind":"Status","status":"Failure","message":"there are 1024 already","reason":"TooManyRequests","code":429}`, http.StatusTooManyRequests)
			return
		}
		fmt.Fprintln(w, `{"type":"ADDED","object":`+object(0)+`}`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	client := kube.New(server.Client(), server.URL)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := New(client, Options{Follow: true}, func(Line) error { return nil }).Follow(ctx, Selection{Namespace: "default"})
	if err == nil || !strings.Contains(err.Error(), "web: there are 1024 already") {
		t.Errorf("error %v", err)
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// object is the Pod web in JSON.
func object(restarts int) string {
	return fmt.Sprintf(`{"metadata":{"namespace":"default","name":"web","uid":"web"},"spec":{"containers":[{"name":"app"}]},`+
		`"status":{"containerStatuses":[{"name":"app","restartCount":%d,"state":{"running":{}}}]}}`, restarts)
}
