package dashboard

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
)

const hostile = `<img src=x onerror=alert(1)>"'` + "\u202e\x1b[31m"

// TestHostileTexts: what services and manifests say is text on every page.
func TestHostileTexts(t *testing.T) {
	f := newFixture(t)
	pod := f.pod(t, "web", func(p *corev1.Pod) {
		p.Labels = map[string]string{"app": hostile}
		p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "X", Value: hostile}}
		p.Annotations["x"] = hostile
	})
	past := f.recorder.Add(pod.UID)
	probe := past.Probe(history.Key{Container: "app", Type: "Readiness"}, history.Probing{SuccessThreshold: 1, FailureThreshold: 3})
	past.Attempt(probe, history.Attempt{Time: noon.Add(-time.Second), Outcome: history.Failed, Message: "HTTP probe failed with statuscode: 503", Run: 1, Failing: true},
		history.Detail{Status: 503, Body: hostile, Message: "HTTP probe failed with statuscode: 503"})
	for _, path := range []string{"/ui/pods", "/ui/pods?q=" + "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "/ui/services"} {
		w := f.ask(http.MethodGet, path)
		body := w.Body.String()
		if w.Code != http.StatusOK || strings.Contains(body, "<img") || strings.ContainsAny(body, "\u202e\x1b") {
			t.Errorf("%s: %d, hostile text is obeyed", path, w.Code)
		}
	}
	if body := f.ask(http.MethodGet, "/ui/pods").Body.String(); !strings.Contains(body, "HTTP 503 · &lt;img src=x onerror=alert(1)&gt;") {
		t.Errorf("the probe's answer is not shown: %s", body)
	}
}

// TestPodsPage: the page says how Pods are, filters them, and says what it hides.
func TestPodsPage(t *testing.T) {
	f := newFixture(t)
	if body := f.ask(http.MethodGet, "/ui/pods").Body.String(); !strings.Contains(body, "No Pods") {
		t.Errorf("an empty page: %s", body)
	}
	f.pod(t, "web")
	f.pod(t, "old", func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse })
	rows := regexp.MustCompile(`<li class="pod"[^>]*>.*?<h3>.*?</svg><a class="cut"[^>]*>([^<]*)</a>.*?<p class="line small"><span class="[a-z]*">([^<]*)</span>`)
	for query, want := range map[string]string{
		"": "old Not ready, web Ready", "?state=attention": "old Not ready", "?q=WEB": "web Ready", "?q=not+ready": "old Not ready", "?q=nothing": "", "?window=15": "old Not ready, web Ready",
	} {
		body := f.ask(http.MethodGet, "/ui/pods"+query).Body.String()
		var got []string
		for _, m := range rows.FindAllStringSubmatch(body, -1) {
			got = append(got, m[1]+" "+m[2])
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q shows %q, want %q", query, got, want)
		}
		if want == "" && !strings.Contains(body, "2 Pods hidden") {
			t.Errorf("%q does not say what it hides", query)
		}
	}
}

// TestOutline: scripts learn from little which Pods there are and which of them have changed.
func TestOutline(t *testing.T) {
	f := newFixture(t)
	f.crowd(t, 50)
	marks := regexp.MustCompile(`<li class="pod" data-pod="([^"]*)" data-mark="([^"]*)"`)
	whole, outline := f.ask(http.MethodGet, "/ui/pods").Body.String(), f.ask(http.MethodGet, "/ui/pods?outline=1").Body.String()
	if diff := cmp.Diff(marks.FindAllString(whole, -1), marks.FindAllString(outline, -1)); diff != "" || strings.Contains(outline, "svg class=\"strip\"") {
		t.Errorf("the outline has other rows, or what is in them (-page +outline):\n%s", diff)
	}
	if len(outline) > len(whole)/5 {
		t.Errorf("the outline has %d bytes, the page %d", len(outline), len(whole))
	}
}

// TestCounter: what is counted against which threshold, and what follows.
func TestCounter(t *testing.T) {
	spec := &corev1.Probe{TimeoutSeconds: 1, SuccessThreshold: 2, FailureThreshold: 3, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{}}}
	fail := func(run int, result history.Result) history.Attempt {
		return history.Attempt{Outcome: history.Failed, Message: "HTTP probe failed with statuscode: 503", Run: run, Threshold: 3, Failing: true, Result: result}
	}
	for name, test := range map[string]struct {
		probe   lifecycle.ProbeType
		attempt history.Attempt
		want    counter
		says    string
	}{
		"well":          {lifecycle.Liveness, history.Attempt{Run: 9, Threshold: 1, Result: history.Passing}, counter{Of: 3, Text: "0/3"}, "200 OK"},
		"once":          {lifecycle.Liveness, fail(1, history.Passing), counter{On: 1, Of: 3, Text: "1/3"}, "HTTP 503 · 2 more and it is restarted"},
		"twice":         {lifecycle.Liveness, fail(2, history.Passing), counter{On: 2, Of: 3, Text: "2/3"}, "HTTP 503 · one more and it is restarted"},
		"restarted":     {lifecycle.Liveness, fail(3, history.Failing), counter{On: 3, Of: 3, Text: "3/3"}, "HTTP 503"},
		"in rotation":   {lifecycle.Readiness, history.Attempt{Run: 9, Threshold: 1, Result: history.Passing}, counter{Text: "in rotation", Class: "ok"}, "200 OK"},
		"nearly out":    {lifecycle.Readiness, fail(2, history.Passing), counter{On: 2, Of: 3, Text: "2/3"}, "HTTP 503 · one more and it is out of rotation"},
		"out":           {lifecycle.Readiness, fail(7, history.Failing), counter{On: 3, Of: 3, Text: "3/3 out", Class: "bad"}, "HTTP 503"},
		"coming back":   {lifecycle.Readiness, history.Attempt{Run: 1, Threshold: 2, Result: history.Failing}, counter{On: 1, Of: 2, Good: true, Text: "1/2 back"}, "200 OK"},
		"startup is in": {lifecycle.Startup, history.Attempt{Run: 1, Threshold: 1, Result: history.Passing}, counter{Text: "passed", Class: "ok"}, "200 OK"},
	} {
		if got := counterOf(test.probe, spec, test.attempt); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
		if says, _ := message(test.probe, spec, test.attempt, history.Detail{Seq: 1, Status: 200}); says != test.says {
			t.Errorf("%s says %q, want %q", name, says, test.says)
		}
	}
}

// TestStrip: the worst of a slot is shown, at its place in time.
func TestStrip(t *testing.T) {
	s := newStrip(noon, 5*time.Minute)
	add := func(ago time.Duration, o history.Outcome, took time.Duration, r history.Result) {
		s.add(history.Attempt{Time: noon.Add(-ago), Outcome: o, Took: took, Result: r}, time.Second)
	}
	add(0, history.Answered, time.Millisecond, history.Passing)
	add(5*time.Second, history.Answered, 300*time.Millisecond, history.Passing)
	add(10*time.Second, history.Failed, 0, history.Passing)
	add(10*time.Second, history.Warning, 0, history.Passing)
	add(15*time.Second, history.NoVerdict, 0, history.Failing)
	add(15*time.Second, history.Warning, 0, history.Failing)
	add(20*time.Second, history.TimedOut, 0, history.NotKnown)
	add(20*time.Second, history.Failed, 0, history.NotKnown)
	add(6*time.Minute, history.TimedOut, 0, history.Failing)
	if got := string(s.marks[54:]); got != ".znx40" {
		t.Errorf("marks end with %q", got)
	}
	if got := string(s.results[54:]); got != ".?duuu" {
		t.Errorf("results end with %q", got)
	}
	if got, want := s.sentence("liveness", 5*time.Minute), "liveness, last 5 minutes: 3 of 8 attempts failed, the first at "; !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
