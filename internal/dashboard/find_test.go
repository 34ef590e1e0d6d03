package dashboard

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/history"
)

// TestFind: whatever has a name can be gone to, and what begins with the text comes first.
func TestFind(t *testing.T) {
	f := newFixture(t)
	f.deployment(t, true)
	f.pod(t, "web-1")
	f.pod(t, "cobweb")
	f.pod(t, "third")
	for q, want := range map[string][]string{
		"web":    {`href="/ui/workloads/deployment/default/web/health"`, `href="/ui/pods/default/web-1"`, `href="/ui/pods/default/cobweb"`},
		"EVENTS": {`href="/ui/events"`},
		"new":    {`href="/ui/new"`},
		"nobody": {"Nothing of that name."},
		"":       {`href="/ui/services"`, `href="/ui/pods"`, "others: type more"},
	} {
		body := f.ask(http.MethodGet, "/ui/find?q="+q).Body.String()
		at := 0
		for _, x := range want {
			i := strings.Index(body[at:], x)
			if i < 0 {
				t.Errorf("%q: %s is not there, or not in this order: %s", q, x, body)
				break
			}
			at += i
		}
	}
	if body := f.ask(http.MethodGet, "/ui/find?q=%3Cimg").Body.String(); strings.Contains(body, "<img") {
		t.Errorf("what is typed is markup: %s", body)
	}
}

// TestEarlier: [ and ] lead through time by whole windows, and to now.
func TestEarlier(t *testing.T) {
	f := newFixture(t)
	past := f.recorder.Add(f.pod(t, "web").UID)
	probe := past.Probe(history.Key{Container: "app", Type: "Liveness"}, history.Probing{SuccessThreshold: 1, FailureThreshold: 3})
	past.Attempt(probe, history.Attempt{Time: noon.Add(-7 * time.Minute), Took: time.Millisecond, Result: history.Passing}, history.Detail{Status: 200})
	for path, want := range map[string][]string{
		"/ui/pods":                              {`href="/ui/pods?until=1793793300" data-key="["`, `id="axis-end">now<`, "no attempt"},
		"/ui/pods?until=1793793300":             {`href="/ui/pods?until=1793793000" data-key="["`, `href="/ui/pods" data-key="]"`, "data-past", "all 1 attempts succeeded"},
		"/ui/pods?until=1793793299":             {`href="/ui/pods" data-key="]"`}, // a second has gone by
		"/ui/pods?until=1793793000&window=1":    {`href="/ui/pods?until=1793792940&amp;window=1" data-key="["`, `href="/ui/pods?until=1793793060&amp;window=1" data-key="]"`},
		"/ui/pods?until=9793793000":             {`id="axis-end">now<`},
		"/ui/pods/default/web?until=1793793300": {`href="/ui/pods/default/web?until=1793793000" data-key="["`, `href="/ui/pods/default/web" data-key="]"`},
	} {
		page := f.ask(http.MethodGet, path).Body.String()
		for _, x := range want {
			if !strings.Contains(page, x) {
				t.Errorf("%s is without %s", path, x)
			}
		}
	}
}
