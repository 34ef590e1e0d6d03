package health

import (
	"net"
	"net/http"
	"strings"
	"time"
)

// Headers of every answer, made once so that an answer allocates nothing. They are read only.
var (
	textPlain = []string{"text/plain; charset=utf-8"}
	noStore   = []string{"no-store"}
)

// Handler answers at /startupz, /readyz and /livez, for GET and HEAD: 200 or 503, with one line of
// text. It reads what is known and runs no check, so probes never reach a database.
//
//	/readyz/database      one check alone
//	/readyz?exclude=cache without that check; may be repeated
//	/readyz?verbose       each check with its state, age, duration and counts; full errors if
//	                      Options.Reveal allows
//
// "Accept: application/json" gives the same as JSON, and application/health+json in the form of the
// draft of that name: status is pass, warn (a dependency fails that does not count) or fail.
func (h *Health) Handler() http.Handler { return (*handler)(h) }

// handler is a type of its own, and not a function, because an answer is so cheap that the
// difference can be measured.
type handler Health

// ServeHTTP implements [http.Handler].
func (x *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := (*Health)(x)
	switch path := r.URL.Path; {
	case path == "/livez":
		h.answer(w, r, live)
	case path == "/readyz":
		h.answer(w, r, ready)
	case path == "/startupz":
		h.answer(w, r, start)
	default:
		h.answerCheck(w, r, path)
	}
}

// Startupz, Readyz and Livez answer one probe, to be mounted anywhere: mux.HandleFunc("/healthz",
// h.Livez).
func (h *Health) Startupz(w http.ResponseWriter, r *http.Request) { h.answer(w, r, start) }

// Readyz is described at [Health.Startupz].
func (h *Health) Readyz(w http.ResponseWriter, r *http.Request) { h.answer(w, r, ready) }

// Livez is described at [Health.Startupz].
func (h *Health) Livez(w http.ResponseWriter, r *http.Request) { h.answer(w, r, live) }

// FromLoopback reports whether a request comes from this machine. Behind a reverse proxy on the
// same machine all do: use it with Addr.
func FromLoopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && net.ParseIP(host).IsLoopback()
}

// answer answers a probe: it loads the answer, counts and writes it.
func (h *Health) answer(w http.ResponseWriter, r *http.Request, i int) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuseMethod(w)
		return
	}
	if r.URL.RawQuery != "" || wants(r.Header) != formatText {
		h.answerLong(w, r, probes[i], "")
		return
	}
	a := h.answers[i].Load()
	if a == nil { // nothing has been registered yet
		a = newAnswer(new(registry).verdicts(time.Time{})[i])
	}
	h.count(i, a.ok)
	header := w.Header()
	header["Content-Type"] = textPlain
	header["Cache-Control"] = noStore
	if !a.ok { // Write sends 200 by itself
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(a.body) // if it fails, the prober has gone
}

// answerCheck answers for a single check, such as /readyz/database.
func (h *Health) answerCheck(w http.ResponseWriter, r *http.Request, path string) {
	first, name, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	for _, p := range probes {
		switch {
		case first != p.path() || name == "":
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			refuseMethod(w)
			return
		default:
			h.answerLong(w, r, p, name)
			return
		}
	}
	http.NotFound(w, r)
}

func (h *Health) count(i int, ok bool) {
	if ok {
		h.asked[i][1].Add(1)
	} else {
		h.asked[i][0].Add(1)
	}
}

func refuseMethod(w http.ResponseWriter) {
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "ask with GET or HEAD", http.StatusMethodNotAllowed)
}

// wants returns the format that a request asks for. Probers send "*/*" or nothing.
func wants(header http.Header) format {
	accept := header["Accept"]
	if len(accept) == 0 || len(accept) == 1 && accept[0] == "*/*" {
		return formatText
	}
	return accepted(accept)
}
