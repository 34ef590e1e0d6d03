package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/logs"
)

// attemptAt is an attempt of the Pod web-1-a, as a run sends it, that began in a second of noon.
func attemptAt(t *testing.T, probe string, second int, outcome history.Outcome) string {
	t.Helper()
	found := history.Found{
		Key:     history.Key{Container: "app", Type: probe},
		Attempt: history.Attempt{Time: time.Date(2026, 11, 29, 12, 0, second, 0, time.UTC), Outcome: outcome},
	}
	line, err := found.JSON(&webPod)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

// TestFollowAttempts: what --tail and --since leave out does not come by --follow, and an attempt
// comes that was under way when the following began, though others have begun after it.
func TestFollowAttempts(t *testing.T) {
	known := []string{
		attemptAt(t, "Liveness", 1, history.Answered), attemptAt(t, "Readiness", 2, history.Answered),
		attemptAt(t, "Readiness", 4, history.Answered),
	}
	slow, last := attemptAt(t, "Liveness", 3, history.TimedOut), attemptAt(t, "Readiness", 5, history.Failed)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch query := r.URL.Query(); {
		case query.Get("watch") == "true":
			fmt.Fprintln(w, `{"type":"ADDED","object":{"metadata":{"name":"web-1-a","namespace":"default","uid":"web-1-a"}}}`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		default:
			all := known
			if query.Get("follow") == "true" {
				all = append(all[:3:3], slow, last)
			}
			since, _ := time.Parse(time.RFC3339, query.Get("sinceTime")) // without one it is zero
			for _, line := range all {
				if found, _, err := history.ParseFound([]byte(line)); err != nil || !found.Attempt.Time.Before(since) {
					fmt.Fprintln(w, line)
				}
			}
		}
	}))
	defer server.Close()
	client := kube.New(server.Client(), server.URL)
	defer client.Close()
	for name, test := range map[string]struct {
		options logs.Options
		want    string
	}{
		"everything":     {logs.Options{}, "liveness ok|readiness ok|readiness ok|liveness timeout|readiness failed"},
		"the last one":   {logs.Options{Tail: new(int64(1))}, "readiness ok|liveness timeout|readiness failed"},
		"none of before": {logs.Options{Tail: new(int64(0))}, "liveness timeout|readiness failed"},
		"since a time":   {logs.Options{Since: time.Date(2026, 11, 29, 12, 0, 2, 0, time.UTC)}, "readiness ok|readiness ok|liveness timeout|readiness failed"},
		"more than are":  {logs.Options{Tail: new(int64(99))}, "liveness ok|readiness ok|readiness ok|liveness timeout|readiness failed"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var out bytes.Buffer
			p := &logPrinter{streams: Streams{Out: io.MultiWriter(&out, endsWith{"failed", cancel}), Err: &out}, attempts: newAttemptLines()}
			if err := p.attempts.read(ctx, client, []*corev1.Pod{&webPod}, test.options); err != nil {
				t.Fatal(err)
			}
			if err := p.rest(); err != nil {
				t.Fatal(err)
			}
			p.followAttempts(ctx, client, logs.Selection{Namespace: "default"}, test.options)
			var got []string
			for line := range strings.Lines(out.String()) {
				words := strings.Fields(line) // time, container, probe, what was asked, what it found
				got = append(got, words[2]+" "+words[4])
			}
			if said := strings.Join(got, "|"); said != test.want {
				t.Errorf("%q, want %q: %s", said, test.want, out.String())
			}
		})
	}
}

// TestFollowAttemptsOfTooMany: it is said of which Pods no attempts come, as there is no slot.
func TestFollowAttemptsOfTooMany(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, `{"kind":"Status","status":"Failure","message":"there are 1024 already","reason":"TooManyRequests","code":429}`, http.StatusTooManyRequests)
	}))
	defer server.Close()
	client := kube.New(server.Client(), server.URL)
	defer client.Close()
	var errs bytes.Buffer
	p := &logPrinter{streams: Streams{Err: &errs}, attempts: newAttemptLines()}
	p.followAttemptsOf(t.Context(), client, &webPod, logs.Options{})
	if want := "probity: cannot follow the probes of pod/web-1-a: there are 1024 already\n"; errs.String() != want {
		t.Errorf("%q, want %q", errs.String(), want)
	}
}

// endsWith calls a function when a text is written.
type endsWith struct {
	text string
	end  func()
}

func (e endsWith) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(e.text)) {
		e.end()
	}
	return len(p), nil
}
