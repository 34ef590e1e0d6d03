package health

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// view is an answer that was made for one request.
type view struct {
	Report
	byChecks bool // the checks alone decide: the service has started and is not stopping
	at       time.Time
	notes    []string // what is odd about the request or the registrations
}

// answerLong answers a request with a query, for JSON, or for one check, whose name is given.
func (h *Health) answerLong(w http.ResponseWriter, r *http.Request, p Probe, name string) {
	q, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	v := h.view(p)
	if name != "" {
		i := slices.IndexFunc(v.Checks, func(s Status) bool { return s.Name == name })
		if i < 0 {
			http.Error(w, fmt.Sprintf("%s has no check of that name, see /%s?verbose", p, p.path()), http.StatusNotFound)
			return
		}
		v.alone(v.Checks[i])
	}
	v.without(q.exclude)
	if h.options.Reveal == nil || !h.options.Reveal(r) {
		for i := range v.Checks {
			v.Checks[i].Err = nil
		}
	}
	h.count(p.index(), v.OK)
	v.write(w, q.verbose, wants(r.Header))
}

// view copies what is known. It takes the lock.
func (h *Health) view(p Probe) *view {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	h.registry.noteAll(now, rand.Float64) // so that the answer and its parts are of one instant
	h.publishLocked(now)
	verdict := h.registry.verdicts(now)[p.index()]
	v := &view{Report: Report{Probe: p, OK: verdict.ok, Reason: verdict.text, Checks: h.registry.statuses(p, now)}}
	v.at = now
	v.byChecks = h.registry.phase == running && (p == Startup || !h.registry.started.IsZero())
	for _, err := range h.misuse {
		v.notes = append(v.notes, strings.Split(err.Error(), "\n")...)
	}
	return v
}

// alone reduces the view to one check.
func (v *view) alone(s Status) {
	v.OK, v.Reason, v.Checks = s.State == stateOK, s.State, []Status{s}
}

// without decides again as if the named checks did not count. That cannot make a service ready that
// has not started or is stopping, and an unknown name excludes nothing.
func (v *view) without(names []string) {
	for _, name := range names {
		i := slices.IndexFunc(v.Checks, func(s Status) bool { return s.Name == name })
		if i < 0 {
			v.notes = append(v.notes, fmt.Sprintf("cannot exclude %q: there is no check of that name", name))
			continue
		}
		v.Checks[i].Gates = false
	}
	if len(names) == 0 || v.OK || !v.byChecks {
		return
	}
	var failing []string
	for _, s := range v.Checks {
		if s.Gates && s.State != stateOK {
			failing = append(failing, s.Name+" "+s.State)
		}
	}
	v.OK, v.Reason = failing == nil, cmp.Or(strings.Join(failing, ", "), "ok")
}

func (v *view) write(w http.ResponseWriter, verbose bool, f format) {
	code, body, contentType := http.StatusOK, v.Reason+"\n", textPlain
	if !v.OK {
		code = http.StatusServiceUnavailable
	}
	switch {
	case f == formatJSON:
		body, contentType = v.json(), []string{f.mediaType()}
	case f == formatHealthJSON:
		body, contentType = v.healthJSON(), []string{f.mediaType()}
	case verbose:
		body = v.text()
	}
	w.Header()["Content-Type"] = contentType
	w.Header()["Cache-Control"] = noStore
	w.WriteHeader(code)
	_, _ = w.Write([]byte(body)) // if it fails, the prober has gone
}

// text is a line for the answer, and one for each check, which begins like those of Kubernetes' own
// components: "[+]ping ok".
func (v *view) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", v.Probe, strings.ReplaceAll(v.Reason, "\n", "; "))
	for _, s := range v.Checks {
		mark := "-"
		if s.State == stateOK {
			mark = "+"
		}
		fmt.Fprintf(&b, "[%s]%s %s", mark, s.Name, s.State)
		if s.Detail != "" {
			fmt.Fprintf(&b, " (%s)", s.Detail)
		}
		if !s.Gates {
			b.WriteString(" [does not count]")
		}
		if s.Err != nil {
			fmt.Fprintf(&b, " %s", strconv.Quote(s.Err.Error()))
		}
		b.WriteByte('\n')
	}
	for _, note := range v.notes {
		fmt.Fprintf(&b, "! %s\n", note)
	}
	return b.String()
}
