package render

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/drill/drilltest"
)

func pageOf(t *testing.T, r *drill.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := Page(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPage: what people look for is there, and the picture has prediction above measurement.
func TestPage(t *testing.T) {
	page := pageOf(t, drilltest.Sample())
	rest := page
	for _, want := range []string{
		"<title>1 of 3 faults not survived as they should be · Probity</title>", "<h1>1 of 3 faults not survived as they should be</h1>",
		"20 requests a second, as a cluster routes", "does without queue", "declared as owned",
		`<a href="#fault-2">hang</a></td><td>out 0–2s, kill 7–10s</td><td>out 1.1–1.9s, kill 7.3–9.6s</td><td class="num">21 of 600</td><td><span class="chip bad">✕ late</span>`,
		"! fleet emptied", "? inconclusive",
		"a grace period it cannot use", "V1, in repetition 2", "<code>app.yaml:58</code>", "<code>liveness-kill-too-slow</code>", `<span class="add">+            terminationGracePeriodSeconds: 3</span>`,
		"a back-off of 10s would have cost 3s more", "Repetition 2: what was predicted", ">predicted</text>", ">measured</text>", ">requests</text>", ">readiness</text>", ">liveness</text>",
		"predicted 1.8s", "own lag 200ms", "<td class=\"num\">540</td><td class=\"num\">21</td>",
		"kill within 9s: does not hold, got 9.6s", "deadlock: no annotation", "nobody saw it open",
	} {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Errorf("the page has no %q after what was looked for before", want)
			continue
		}
		rest = after
	}
}

// TestBaselineHasNoFault: where nothing is broken, nothing is drawn as broken.
func TestBaselineHasNoFault(t *testing.T) {
	r := drilltest.Sample()
	p := drilltest.Repetition(1, "", "web-1")
	for side, want := range map[drill.Side]int{drill.SideNone: 0, drill.SideOutside: 2} {
		grounds := 0
		for _, g := range picture(&drill.Result{Title: "x", Side: side}, p, &r.Workloads[0]).Groups {
			grounds += len(g.Grounds)
		}
		if grounds != want {
			t.Errorf("%s: %d Pods are drawn as broken, want %d", side, grounds, want)
		}
	}
}

// TestPageStandsForItself: it asks for nothing, and nothing in it is run.
func TestPageStandsForItself(t *testing.T) {
	page := pageOf(t, drilltest.Sample())
	head, _, _ := strings.Cut(page, "<style>")
	if !strings.Contains(head, "default-src &#39;none&#39;; style-src &#39;sha256-") {
		t.Errorf("no policy in\n%s", head)
	}
	for _, m := range regexp.MustCompile(`<script|<link|<img|<iframe|javascript:|\son[a-z]+=|url\(|@import|(?:href|src)="[^#"]`).FindAllString(page, -1) {
		t.Errorf("the page has %q", m)
	}
	for _, theme := range []string{"prefers-color-scheme: dark", `content="light dark"`} {
		if !strings.Contains(page, theme) {
			t.Errorf("the page has no %q", theme)
		}
	}
}

// hostile is a text of somebody who wants to get out of where it stands.
const hostile = "</style></pre><script>alert(1)</script><img src=x onerror=alert(1)>\"'\u202e\x1b[31m]]>&\x00"

// overwritten is a report all of whose texts are hostile.
func overwritten() *drill.Report {
	r := drilltest.Sample()
	r.Files, r.Workloads[0].Name, r.Workloads[0].Container, r.Workloads[0].Service, r.Classes[0].Name = []string{hostile}, hostile, hostile, hostile, hostile
	for _, x := range r.Results {
		x.Title, x.Workload, x.Expected, x.Measured, x.Remarks = hostile, hostile, hostile, hostile, []string{hostile}
		for i := range x.Verdicts {
			v := &x.Verdicts[i]
			v.Rule, v.Word, v.Text = hostile, hostile, hostile
			v.Advice = &drill.Advice{Rule: hostile, Text: hostile, File: hostile, Line: 1, Patch: "+" + hostile + "\n-" + hostile}
		}
		for _, p := range x.Repetitions {
			p.Undo = hostile
			p.Pod = hostile
			for i := range p.Replicas {
				p.Replicas[i].Pod = hostile
			}
			for i := range p.Attempts {
				p.Attempts[i].Pod, p.Attempts[i].Message = hostile, hostile
			}
			for i := range p.Changes {
				p.Changes[i].Pod, p.Changes[i].Text = hostile, hostile
			}
			for i := range p.Ledger {
				p.Ledger[i].Pod, p.Ledger[i].Class = hostile, hostile
			}
		}
	}
	r.LeftOut[0].Fault, r.LeftOut[0].Reason, r.Dependencies[0].Name, r.BlindSpots, r.Assertions[0].Text, r.Assertions[0].Got, r.Failures = hostile, hostile, hostile, []string{hostile}, hostile, hostile, []string{hostile}
	return r
}

// TestHostileTexts: what others wrote stays text.
func TestHostileTexts(t *testing.T) {
	page := pageOf(t, overwritten())
	if strings.Count(page, "</style>") != 1 {
		t.Error("the style sheet ends in a text")
	}
	for _, part := range []string{"<script", "<img", "\u202e", "\x1b", "\x00"} {
		if strings.Contains(page, part) {
			t.Errorf("the page has %q", part)
		}
	}
}

// TestPageIsBounded: however much happened, the page can be sent.
func TestPageIsBounded(t *testing.T) {
	long := func(n int) *drill.Report {
		r := overwritten()
		one := r.Results[1]
		for i := range n {
			next := *one
			next.Title = fmt.Sprintf("fault %d %s", i, strings.Repeat(hostile, 1+n/20))
			next.Verdicts = nil
			for range 1 + n/50 {
				next.Verdicts = append(next.Verdicts, one.Verdicts...)
			}
			r.Results = append(r.Results, &next)
			r.LeftOut = append(r.LeftOut, drill.LeftOut{Fault: hostile, Reason: strings.Repeat(hostile, 1+n/20)})
			r.Failures, r.BlindSpots = append(r.Failures, hostile), append(r.BlindSpots, hostile)
			r.Classes, r.Workloads, r.Dependencies = append(r.Classes, r.Classes[0]), append(r.Workloads, r.Workloads[0]), append(r.Dependencies, r.Dependencies[0])
		}
		return r
	}
	for _, n := range []int{0, 3, 30, 100} {
		page := pageOf(t, long(n))
		if len(page) > PageLimit {
			t.Errorf("%d results: %d bytes, want %d at most", n, len(page), PageLimit)
		}
		if !strings.HasSuffix(page, "</body></html>\n") {
			t.Errorf("%d results: the page is not whole", n)
		}
	}
}

// TestPicturesOfThePassedGoFirst: what is left out of a page that would be too long is what nobody
// looks for.
func TestPicturesOfThePassedGoFirst(t *testing.T) {
	r := drilltest.Sample()
	passed := *r.Results[1]
	passed.Verdicts = []drill.Verdict{{Rule: "V1", Grade: drill.GradePass, Word: "caught", Text: "in time"}}
	for range 60 {
		r.Results = append(r.Results, &passed)
	}
	page := pageOf(t, r)
	if n := strings.Count(page, "<svg"); n != 1 {
		t.Errorf("%d pictures, want that of the failed one alone", n)
	}
	if !strings.Contains(page, "The pictures of what went well are left out") {
		t.Error("the page does not say that something is left out")
	}
}
