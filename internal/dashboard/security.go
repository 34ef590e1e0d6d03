package dashboard

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/probity-run/probity/internal/printable"
)

// policy is what a page may do: load scripts, styles and pictures of this server, and send requests
// to it. Nothing that is text can become a script, neither by a mistake of the server (script-src)
// nor by one of a script (Trusted Types).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'; report-uri " + reportPath

// reportPath is where browsers tell what the policy has refused.
const reportPath = "/ui/report"

// maxReports is how many of these are logged: a page that is wrong is so each second.
const maxReports = 100

// report is POST /ui/report: what a browser has refused on a page of this server, which is a
// mistake of ours, or somebody's attempt.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	var refused struct {
		Report struct {
			Page      string `json:"document-uri"`
			Directive string `json:"effective-directive"`
			Blocked   string `json:"blocked-uri"`
			Source    string `json:"source-file"`
			Line      int    `json:"line-number"`
		} `json:"csp-report"`
	}
	if err := json.NewDecoder(r.Body).Decode(&refused); err != nil {
		http.Error(w, "cannot read the report", http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
	if x := refused.Report; s.reports.Add(1) <= maxReports {
		s.opts.Logger.Warn("A browser has refused what a page of the dashboard does", "page", printable.Line(x.Page), "directive", printable.Line(x.Directive),
			"blocked", printable.Line(x.Blocked), "source", printable.Line(x.Source), "line", x.Line)
	}
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if reason := s.refusal(r); reason != "" {
		http.Error(w, reason, http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	switch {
	case strings.HasPrefix(r.URL.Path, staticPath):
		s.files().ServeHTTP(w, r)
	case s.signIn.enter(w, r):
	case s.signIn.isIn(r):
		s.mux.ServeHTTP(w, r)
	default:
		s.refuseStranger(w, r)
	}
}

// maxBody is how long the body of a request may be: a manifest that a person edits is far smaller.
const maxBody = 1 << 20

// refusal is why a request is not answered, whoever sends it; "" if it is. A name that is not this
// server's leads here when a page of another site has made its own name mean 127.0.0.1 (DNS
// rebinding). What changes something, and a stream, is only for pages of this server: the cookie
// comes along with requests of other pages of this machine.
func (s *Server) refusal(r *http.Request) string {
	origin := s.origin()
	if !origin.Has(r.Host) {
		return "the Host header has to be one of " + origin.String() + "; a forwarded port needs the same number"
	}
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	for _, from := range r.Header["Origin"] {
		if !origin.IsOrigin(from) {
			return "pages of other origins are not answered"
		}
	}
	site := r.Header.Get("Sec-Fetch-Site")
	switch {
	case safe && !isStream(r.URL.Path):
		return ""
	case site != "" && site != "same-origin":
		return "only a page of this dashboard may ask for that"
	case !safe && (r.Header.Get("Origin") == "" || site == ""):
		return "a change needs the headers Origin and Sec-Fetch-Site, as browsers send them"
	}
	return ""
}

// isStream reports whether a path is one that is answered for as long as a page is open.
func isStream(path string) bool { return path == "/ui/stream" || path == "/ui/logs/stream" }
