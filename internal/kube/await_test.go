package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// TestAwaitLasts: a server that lasts is asked again when it is away, ever more rarely and until
// the time is over; it is told when it is not heard; what it refuses ends the waiting, but that it
// does not know who asks only if it says so again.
func TestAwaitLasts(t *testing.T) {
	const pending, running = `{"metadata":{"resourceVersion":"7"},"items":[{"status":{"phase":"Pending"}}]}`, `{"items":[{"status":{"phase":"Running"}}]}`
	const changed = `{"type":"MODIFIED","object":{"status":{"phase":"Running"}}}`
	late := errors.New("too late")
	isLate := func(err error) bool { return errors.Is(err, late) }
	for name, test := range map[string]struct {
		answers       []string // of lists and watches in turn; the last one for ever
		asked, hearts string
		err           func(error) bool // nil if it becomes as it is wanted
	}{
		"it is watched":         {[]string{pending, changed}, "list@0.0 watch@0.0", "heard", nil},
		"a watch is broken off": {[]string{pending, "BREAK", pending, changed}, "list@0.0 watch@0.0 list@0.2 watch@0.2", "heard heard", nil},
		"away, and back": {[]string{pending, "BREAK", "", "503", "", pending, changed}, "list@0.0 watch@0.0 list@0.2 list@0.6 list@1.4 list@3.0 watch@3.0",
			"heard lost lost lost heard", nil},
		"away for a watch":     {[]string{pending, "503", running}, "list@0.0 watch@0.0 list@0.2", "heard lost heard", nil},
		"away for ever":        {[]string{""}, "list@0.0 list@0.2 list@0.6 list@1.4 list@3.0 list@6.2 list@11.2 list@16.2", "lost lost lost lost lost lost lost lost", isLate},
		"forbidden":            {[]string{pending, "403"}, "list@0.0 watch@0.0", "heard", apierrors.IsForbidden},
		"unauthorized once":    {[]string{pending, "BREAK", "401", running}, "list@0.0 watch@0.0 list@0.2 list@0.2", "heard heard", nil},
		"unauthorized":         {[]string{"401"}, "list@0.0 list@0.0", "", apierrors.IsUnauthorized},
		"it is no Kubernetes":  {[]string{"<html>"}, "list@0.0", "", func(err error) bool { return err != nil && !isLate(err) }},
		"it says what it made": {[]string{`{"items":[{"status":{"phase":"Failed"}}]}`}, "list@0.0", "heard", func(err error) bool { return err != nil && err.Error() == "it has failed" }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, late)
				defer cancel()
				server := &awaitedAnswers{answers: test.answers, begun: time.Now()}
				var hearts []string
				trouble := func(err error) {
					hearts = append(hearts, map[bool]string{true: "heard", false: "lost"}[err == nil])
				}
				err := Await(ctx, New(&http.Client{Transport: server}, "http://x"), Ref{Pods, "default", "web"}, trouble, func(pod *corev1.Pod) (bool, error) {
					if pod.Status.Phase == corev1.PodFailed {
						return false, errors.New("it has failed")
					}
					return pod.Status.Phase == corev1.PodRunning, nil
				})
				if test.err == nil && err != nil || test.err != nil && !test.err(err) {
					t.Errorf("error %v", err)
				}
				if all := strings.Join(server.asked, " "); all != test.asked {
					t.Errorf("asked %s, want %s", all, test.asked)
				}
				if all := strings.Join(hearts, " "); all != test.hearts {
					t.Errorf("the server is %s, want %s", all, test.hearts)
				}
			})
		})
	}
}

// awaitedAnswers is a server whose answers are a body, a code, a body that is BREAK, which breaks
// off, or "", which is no answer.
type awaitedAnswers struct {
	answers []string
	asked   []string
	begun   time.Time
}

// RoundTrip implements [http.RoundTripper].
func (s *awaitedAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	what := "list"
	if r.URL.Query().Get("watch") != "" {
		what = "watch"
	}
	s.asked = append(s.asked, fmt.Sprintf("%s@%.1f", what, time.Since(s.begun).Seconds()))
	inner := watchAnswers{answers: s.answers[:1], done: func() {}}
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	return inner.RoundTrip(r)
}
