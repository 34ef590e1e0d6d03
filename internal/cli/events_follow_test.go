package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/kube"
)

// fakeCluster answers lists by a function of the kind, and the watches of a kind one after the
// other: nil is an answer of a server that is down, and after the last one a watch lasts until its
// client ends it.
type fakeCluster struct {
	list    func(kind string) any
	watches map[string][]func(send func(what string, o any))

	mu sync.Mutex // guards watches
}

// RoundTrip implements [http.RoundTripper].
func (f *fakeCluster) RoundTrip(r *http.Request) (*http.Response, error) {
	kind := path.Base(r.URL.Path)
	response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r}
	var body bytes.Buffer
	response.Body = io.NopCloser(&body)
	if r.URL.Query().Get("watch") == "" {
		return response, json.NewEncoder(&body).Encode(f.list(kind))
	}
	f.mu.Lock()
	left := f.watches[kind]
	if len(left) > 0 {
		f.watches[kind] = left[1:]
	}
	f.mu.Unlock()
	switch {
	case len(left) == 0:
		reader, writer := io.Pipe()
		context.AfterFunc(r.Context(), func() { writer.CloseWithError(r.Context().Err()) })
		response.Body = reader
	case left[0] == nil:
		response.StatusCode = http.StatusServiceUnavailable
	default:
		left[0](func(what string, o any) {
			json.NewEncoder(&body).Encode(map[string]any{"type": what, "object": o}) // the client sees to it
		})
	}
	return response, nil
}

// TestEventsOfCluster: with a cluster the watches go on when it was away, which is said once; when
// changes were missed, what was told is not told again; an error of one ends all.
func TestEventsOfCluster(t *testing.T) {
	event := func(name, version, message string) corev1.Event {
		e := eventAbout("Pod", "web-1-a")
		e.ObjectMeta, e.Message = owned(name, "", ""), message
		e.ResourceVersion = version
		return e
	}
	type send = func(what string, o any)
	quiet := func(send) {}
	expired := func(send send) {
		send("ERROR", map[string]any{"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
	}
	forbidden := func(send send) {
		send("ERROR", map[string]any{"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no more"})
	}
	cluster := &fakeCluster{
		list: func(kind string) any {
			switch kind {
			case "deployments":
				return web
			case "replicasets":
				return map[string]any{"items": []any{webSet}}
			case "pods":
				return map[string]any{"items": []any{webPod}}
			case "events":
				return corev1.EventList{Items: []corev1.Event{event("a", "1", "listed"), event("b", "2", "listed too")}}
			}
			return struct{}{}
		},
		watches: map[string][]func(send){
			"pods":        {quiet, nil, nil, quiet},
			"replicasets": {quiet, nil, nil, quiet},
			"events": {
				func(send send) { send("ADDED", event("c", "3", "watched")) }, nil, nil, expired,
				func(send send) {
					send("ADDED", event("a", "1", "listed"))
					send("ADDED", event("b", "5", "listed too, again"))
					send("ADDED", event("c", "3", "watched"))
					send("ADDED", event("d", "6", "missed"))
				}, quiet, forbidden,
			},
		},
	}
	synctest.Test(t, func(t *testing.T) {
		client := kube.New(&http.Client{Transport: cluster}, "http://cluster")
		now, err := client.Snapshot(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		s := &session{client: client, Snapshot: now}
		objects, err := s.findAll([]string{"web"})
		if err != nil {
			t.Fatal(err)
		}
		var out, told bytes.Buffer
		flags := eventFlags{watch: true}
		flags.addCluster(&cobra.Command{})
		if err := flags.cmd.Flags().Set("context", "c"); err != nil {
			t.Fatal(err)
		}
		err = s.events(t.Context(), Streams{Out: &out, Err: &told}, flags, objects)
		if err == nil || !strings.Contains(err.Error(), "no more") {
			t.Errorf("it ends with %v", err)
		}
		if got, want := messages(out.String()), "listed|listed too|watched|listed too, again|missed"; got != want {
			t.Errorf("Events %s, want %s; all:\n%s", got, want, &out)
		}
		lines := strings.Split(told.String(), "\n")
		if len(lines) != 3 || !strings.HasPrefix(lines[0], "probity: the server does not answer, and is asked again: ") || lines[1] != "probity: the server answers again" {
			t.Errorf("told %q, want that it is lost and back, once", lines)
		}
	})
}
