package dashboard

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// TestPolicyReport: what a browser refuses is logged as text, a number of times; a report of
// another page is not taken.
func TestPolicyReport(t *testing.T) {
	f := newFixture(t)
	var said strings.Builder
	f.opts.Logger = slog.New(slog.NewTextHandler(&said, nil))
	const report = `{"csp-report":{"document-uri":"http://127.0.0.1:4711/ui/pods","effective-directive":"script-src-elem","blocked-uri":"inline","source-file":"x\u202e\n\u001b[31m","line-number":7}}`
	send := func(body string, change ...func(*http.Request)) int {
		set := func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(body)) }
		return f.ask(http.MethodPost, "/ui/report", append([]func(*http.Request){set}, change...)...).Code
	}
	if policy := f.ask(http.MethodGet, "/ui/pods").Header().Get("Content-Security-Policy"); !strings.HasSuffix(policy, "; report-uri /ui/report") {
		t.Errorf("the policy is %s", policy)
	}
	if got := send(report); got != http.StatusNoContent {
		t.Errorf("a report: %d", got)
	}
	if got := said.String(); !strings.Contains(got, "directive=script-src-elem blocked=inline") || strings.ContainsAny(got, "\x1b\u202e") {
		t.Errorf("it is logged as %q", got)
	}
	for name, got := range map[string]int{"no report": send("<x>"), "too long": send(`{"x":"` + strings.Repeat("x", maxBody) + `"}`)} {
		if got != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := send(report, header("Origin", "https://evil.example")); got != http.StatusForbidden {
		t.Errorf("of another page: %d", got)
	}
	for range 2 * maxReports {
		send(report)
	}
	if n := strings.Count(said.String(), "has refused"); n != maxReports {
		t.Errorf("%d reports are logged, want %d", n, maxReports)
	}
}
