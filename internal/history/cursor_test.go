package history

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestCursor: each attempt is given once, those of all probes in the order of their beginnings.
func TestCursor(t *testing.T) {
	var recorder Recorder
	pod, at := recorder.Add("web"), time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	attempt := func(kind string) {
		at = at.Add(time.Second)
		pod.Attempt(pod.Probe(Key{"app", kind}, Probing{Asks: "exec true"}), Attempt{Time: at}, Detail{})
	}
	next := func(c *Cursor) string {
		var got []string
		for _, found := range c.Next() {
			got = append(got, found.Type+" "+found.Attempt.Time.Format("05"))
		}
		return strings.Join(got, ", ")
	}
	cursor := recorder.Reader().Cursor("web")
	attempt("Liveness")
	attempt("Readiness")
	attempt("Liveness")
	if got, want := next(cursor), "Liveness 01, Readiness 02, Liveness 03"; got != want {
		t.Errorf("first %q, want %q", got, want)
	}
	attempt("Readiness")
	if got, want := next(cursor), "Readiness 04"; got != want {
		t.Errorf("then %q, want %q", got, want)
	}
	if got := next(cursor) + next(recorder.Reader().Cursor("gone")); got != "" {
		t.Errorf("nothing is new, but %q", got)
	}
}

// TestFoundInJSON: what is written can be read, and has no body.
func TestFoundInJSON(t *testing.T) {
	at := time.Date(2026, 1, 1, 12, 0, 0, 123456000, time.UTC)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "7"}}
	for _, want := range []Found{
		{Key{"app", "Liveness"}, Probing{Asks: "exec x"}, Attempt{Time: at, Took: 1500 * time.Microsecond, Instance: 2}, Detail{}, true},
		{Key{"app", "Startup"}, Probing{Asks: "exec x"}, Attempt{Time: at, Outcome: Failed, NotYet: true, Message: "no", Run: 1, Threshold: 3, Failing: true, Result: Passing}, Detail{ExitCode: 1}, true},
		{Key{"app", "Readiness"}, Probing{Asks: "GET http://:80/"}, Attempt{Time: at, Outcome: Warning, Run: 1, Threshold: 1, Result: Failing}, Detail{Status: 302}, true},
		{Key{"app", "Readiness"}, Probing{Asks: "GET http://:80/"}, Attempt{Time: at, Outcome: TimedOut}, Detail{}, false},
		{Key{"app", "Readiness"}, Probing{Asks: "GET http://:80/"}, Attempt{Time: at, Outcome: NoVerdict}, Detail{}, false},
	} {
		secret := want
		secret.Detail.Body, secret.Detail.Remote = "secret", "127.0.0.1:1"
		line, err := secret.JSON(pod)
		if err != nil {
			t.Fatal(err)
		}
		got, uid, err := ParseFound(line)
		if diff := cmp.Diff(want, got); diff != "" || uid != "7" || err != nil {
			t.Errorf("of %q, %v (-want +got):\n%s", uid, err, diff)
		}
	}
	for _, line := range []string{``, `{`, `{}`, `{"type":"ADDED","object":{}}`, `{"type":"ATTEMPT","object":{"time":"2026-01-01T12:00:00.000000Z","probe":"liveness","outcome":"?"}}`,
		`{"type":"ATTEMPT","object":{"time":"x","probe":"liveness","outcome":"Failed"}}`, `{"type":"ATTEMPT","object":{"time":"2026-01-01T12:00:00.000000Z","outcome":"Failed"}}`} {
		if _, _, err := ParseFound([]byte(line)); err == nil {
			t.Errorf("%s is taken", line)
		}
	}
}

// FuzzParseFound: what is read can be written and read again.
func FuzzParseFound(f *testing.F) {
	f.Add([]byte(`{"type":"ATTEMPT","object":{"time":"2026-01-01T12:00:00.000000Z","uid":"7","container":"app","probe":"liveness","asked":"exec x","outcome":"Failed","tookSeconds":0.001,"exitCode":1,"run":1,"threshold":3,"result":"Success"}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		found, uid, err := ParseFound(line)
		if err != nil {
			return
		}
		written, err := found.JSON(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: uid}})
		if err != nil {
			t.Fatal(err)
		}
		if _, again, err := ParseFound(written); err != nil || again != uid {
			t.Errorf("%s: %v, of %q, want %q", written, err, again, uid)
		}
	})
}
