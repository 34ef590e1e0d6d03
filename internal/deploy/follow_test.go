package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/rollout"
)

// answering is a server that is a function: the code and the body for a request. A watch to which
// it answers with nothing lasts until its client ends it.
type answering func(r *http.Request) (code int, body any)

// RoundTrip implements [http.RoundTripper].
func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	code, body := a(r)
	if code == 0 {
		return nil, errors.New("connection refused")
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if body == nil && r.URL.Query().Get("watch") != "" {
		reader, writer := io.Pipe()
		context.AfterFunc(r.Context(), func() { writer.CloseWithError(r.Context().Err()) })
		return &http.Response{StatusCode: code, Header: header, Body: reader, Request: r}, nil
	}
	text, err := json.Marshal(body)
	return &http.Response{StatusCode: code, Header: header, Body: io.NopCloser(strings.NewReader(string(text))), Request: r}, err
}

// clusterOf is a cluster that a function plays.
func clusterOf(server answering) *kube.Cluster {
	return &kube.Cluster{Client: kube.New(&http.Client{Transport: server}, "http://cluster"), Server: "http://cluster", Namespace: "shop"}
}

// jobs answers for a Job, that is complete or not, and for nothing else.
func jobList(complete bool) batchv1.JobList {
	job := batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "migrate", Namespace: "shop", UID: "u", ResourceVersion: "7"}}
	if complete {
		job.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}
		job.Status.Succeeded = 1
	}
	return batchv1.JobList{ListMeta: metav1.ListMeta{ResourceVersion: "8"}, Items: []batchv1.Job{job}}
}

// TestFollow plays the ways in which a server can be lost, in virtual time.
func TestFollow(t *testing.T) {
	status := func(code int) (int, any) {
		return code, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status"}, Status: "Failure", Code: int32(code), Message: "no", Reason: map[int]metav1.StatusReason{401: metav1.StatusReasonUnauthorized, 403: metav1.StatusReasonForbidden}[code]}
	}
	type answer func(r *http.Request, since time.Duration) (code int, body any)
	ordinary := func(complete bool) answer {
		return func(r *http.Request, _ time.Duration) (int, any) {
			switch {
			case r.URL.Query().Get("watch") != "":
				return 200, nil
			case strings.HasSuffix(r.URL.Path, "/jobs"):
				return 200, jobList(complete)
			}
			return 200, map[string]any{"metadata": map[string]any{"resourceVersion": "8"}}
		}
	}
	tests := map[string]struct {
		server    answer
		interrupt time.Duration // after which the context ends
		want      error
		up        bool
		lost      string
		within    time.Duration
	}{
		"up": {server: ordinary(true), up: true, within: time.Second},
		"without rights for Events and nodes": {server: func(r *http.Request, since time.Duration) (int, any) {
			if strings.HasSuffix(r.URL.Path, "/events") || strings.HasSuffix(r.URL.Path, "/nodes") {
				return status(403)
			}
			return ordinary(true)(r, since)
		}, up: true, within: time.Second},
		"without rights for Pods": {server: func(r *http.Request, since time.Duration) (int, any) {
			if strings.HasSuffix(r.URL.Path, "/pods") {
				return status(403)
			}
			return ordinary(true)(r, since)
		}, want: ErrNotKnown, within: time.Second},
		"credentials expire": {server: func(r *http.Request, since time.Duration) (int, any) {
			if r.URL.Query().Get("watch") != "" {
				return status(401)
			}
			return ordinary(false)(r, since)
		}, want: ErrNotKnown, within: time.Second},
		"away for 20 seconds": {server: func(r *http.Request, since time.Duration) (int, any) {
			if since < 20*time.Second {
				return 0, nil
			}
			return ordinary(true)(r, since)
		}, up: true, lost: "lost back", within: 30 * time.Second},
		"Events and nodes are away": {server: func(r *http.Request, since time.Duration) (int, any) {
			if strings.HasSuffix(r.URL.Path, "/events") || strings.HasSuffix(r.URL.Path, "/nodes") {
				return status(503)
			}
			return ordinary(true)(r, since)
		}, up: true, within: time.Second},
		"Events are never told": {server: func(r *http.Request, since time.Duration) (int, any) {
			if strings.HasSuffix(r.URL.Path, "/events") {
				<-r.Context().Done()
			}
			return ordinary(true)(r, since)
		}, up: true, within: 10 * time.Second},
		"away for a moment": {server: func(r *http.Request, since time.Duration) (int, any) {
			if since < lossTime/2 {
				return 0, nil
			}
			return ordinary(true)(r, since)
		}, up: true, within: 2 * time.Second},
		"away for ever": {server: func(*http.Request, time.Duration) (int, any) { return 0, nil }, want: ErrNotKnown, lost: "lost", within: 61 * time.Second},
		"interrupted":   {server: ordinary(false), interrupt: 5 * time.Second, want: ErrInterrupted, within: 5 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.interrupt > 0 {
					time.AfterFunc(test.interrupt, cancel)
				}
				begun := time.Now()
				job := &Object{Unstructured: object(t, "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, namespace: shop, uid: u}\nspec: {selector: {matchLabels: {a: b}}}")}
				cluster := clusterOf(func(r *http.Request) (int, any) { return test.server(r, time.Since(begun)) })
				d := &Deployment{Entries: []*Entry{{Object: job, After: job.Unstructured}}, options: Options{Cluster: cluster}, begun: begun}
				var lost []string
				results, err := d.Follow(ctx, FollowOptions{Times: rollout.Options{Timeout: time.Minute}, Lost: func(loss *Loss) {
					if loss != nil {
						lost = append(lost, "lost")
					} else {
						lost = append(lost, "back")
					}
				}})
				if !errors.Is(err, test.want) {
					t.Errorf("error %v, want %v", err, test.want)
				}
				if up := len(results) == 1 && results[0].Verdict != nil && results[0].Verdict.Outcome == rollout.IsUp; up != test.up {
					t.Errorf("results %+v, want up: %v", results, test.up)
				}
				if got := strings.Join(lost, " "); got != test.lost {
					t.Errorf("the server is %q, want %q", got, test.lost)
				}
				if took := time.Since(begun); took > test.within {
					t.Errorf("it took %v, want at most %v", took, test.within)
				}
			})
		})
	}
}

// TestApply: broken off, or with the server lost, each object is known to be applied, not applied,
// or unknown.
func TestApply(t *testing.T) {
	const text = `apiVersion: v1
kind: Secret
metadata: {name: a}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
---
apiVersion: v1
kind: Service
metadata: {name: c}
`
	tests := map[string]struct {
		second func(cancel func()) (int, any) // answers for the second object
		want   string
		err    error
	}{
		"all":         {func(func()) (int, any) { return 201, map[string]any{"kind": "ConfigMap"} }, "created created created", nil},
		"interrupted": {func(cancel func()) (int, any) { cancel(); return 201, map[string]any{"kind": "ConfigMap"} }, "created created ", ErrInterrupted},
		"lost":        {func(func()) (int, any) { return 0, nil }, "created unknown ", ErrNotKnown},
		"refused": {func(func()) (int, any) {
			return 422, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status"}, Code: 422, Reason: metav1.StatusReasonInvalid, Message: "bad"}
		}, "created refused ", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			all, err := objects(t, text)
			if err != nil {
				t.Fatal(err)
			}
			d := &Deployment{options: Options{Objects: all, Cluster: clusterOf(func(r *http.Request) (int, any) {
				if strings.HasSuffix(r.URL.Path, "/b") {
					return test.second(cancel)
				}
				return 201, map[string]any{"kind": "Any"}
			})}}
			for _, o := range all {
				o.At = kube.Ref{Kind: kube.Kind{Version: "v1", Plural: "any", Singular: strings.ToLower(o.GetKind())}, Namespace: "shop", Name: o.GetName()}
				d.Entries = append(d.Entries, &Entry{Object: o})
			}
			err = d.Apply(ctx)
			var got []string
			for _, e := range d.Entries {
				got = append(got, string(e.Result))
			}
			if text := strings.Join(got, " "); text != test.want {
				t.Errorf("results %q, want %q", text, test.want)
			}
			if test.err != nil && !errors.Is(err, test.err) || (err == nil) != (name == "all") {
				t.Errorf("error %v, want %v", err, test.err)
			}
		})
	}
}
