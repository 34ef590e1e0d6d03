package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// watchAnswers answer watches one after the other: a number is a status without a body, "" is a
// connection that is refused, anything else the lines of a watch, of which "BREAK" breaks the
// connection off.
type watchAnswers struct {
	answers []string
	asked   []string // from which versions, and when
	begun   time.Time
	done    func() // called when there are no more answers
}

// RoundTrip implements [http.RoundTripper].
func (w *watchAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	w.asked = append(w.asked, fmt.Sprintf("%s@%.1f", r.URL.Query().Get("resourceVersion"), time.Since(w.begun).Seconds()))
	if len(w.answers) == 0 {
		w.done()
		return nil, r.Context().Err()
	}
	answer := w.answers[0]
	w.answers = w.answers[1:]
	response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r}
	var code int
	switch _, err := fmt.Sscan(answer, &code); {
	case answer == "":
		return nil, errors.New("connection refused")
	case err == nil:
		response.StatusCode, response.Body = code, io.NopCloser(strings.NewReader("no"))
	default:
		text, broken := strings.CutSuffix(answer, "BREAK")
		body := io.Reader(strings.NewReader(text))
		if broken {
			body = io.MultiReader(body, brokenReader{})
		}
		response.Body = io.NopCloser(body)
	}
	return response, nil
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection reset by peer") }

// TestFollowLasts: a server that lasts is asked again whatever ends a watch, ever more rarely, and
// it is told when it is not heard; what it refuses ends it.
func TestFollowLasts(t *testing.T) {
	const expired = `{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}`
	pod := func(version string) string { return podChange("ADDED", "web", version) }
	mark := `{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}`
	for name, test := range map[string]struct {
		answers            []string
		got, asked, hearts string
		err                func(error) bool
	}{
		"it goes on":          {[]string{pod("4"), pod("5")}, "4 5", "3@0.0 4@0.2 5@0.4", "heard heard", nil},
		"a bookmark":          {[]string{pod("4") + mark, pod("10")}, "4 10", "3@0.0 9@0.2 10@0.4", "heard heard", nil},
		"away for some tries": {[]string{pod("4"), "", "503", "", pod("5")}, "4 5", "3@0.0 4@0.2 4@0.6 4@1.4 4@3.0 5@3.2", "heard lost lost lost heard", nil},
		"broken off":          {[]string{pod("4") + "BREAK", pod("5")}, "4 5", "3@0.0 4@0.2 5@0.4", "heard heard", nil},
		"away from the first": {[]string{"502", pod("4")}, "4", "3@0.0 3@0.2 4@0.4", "lost heard", nil},
		"too old":             {[]string{pod("4"), expired}, "4", "3@0.0 4@0.2", "heard heard", IsExpired},
		"too old at once":     {[]string{"410"}, "", "3@0.0", "", IsExpired},
		"forbidden":           {[]string{pod("4"), "403"}, "4", "3@0.0 4@0.2", "heard", func(err error) bool { return err != nil }},
		"no watch":            {[]string{"<html>"}, "", "3@0.0", "heard", func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				server := &watchAnswers{answers: test.answers, begun: time.Now(), done: cancel}
				var got, hearts []string
				var failure error
				for change, err := range Follow[corev1.Pod](ctx, New(&http.Client{Transport: server}, "http://x"), Pods, "", metav1.ListOptions{ResourceVersion: "3"}, func(err error) {
					hearts = append(hearts, map[bool]string{true: "heard", false: "lost"}[err == nil])
				}) {
					if failure = err; err == nil {
						got = append(got, change.Object.ResourceVersion)
					}
				}
				if all := strings.Join(got, " "); all != test.got {
					t.Errorf("got %s, want %s", all, test.got)
				}
				if all := strings.Join(server.asked, " "); all != test.asked {
					t.Errorf("asked from %s, want %s", all, test.asked)
				}
				if all := strings.Join(hearts, " "); all != test.hearts {
					t.Errorf("the server is %s, want %s", all, test.hearts)
				}
				if test.err == nil && failure != nil || test.err != nil && !test.err(failure) {
					t.Errorf("error %v", failure)
				}
			})
		})
	}
}
