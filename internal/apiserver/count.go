package apiserver

import (
	"bufio"
	"net"
	"net/http"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/apiserver/scrape"
)

// counted serves a request and counts it, once: the guard refuses also what is being served.
func (s *Server) counted(w http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request)) {
	if _, is := w.(*notedWriter); is {
		serve(w, r)
		return
	}
	request := s.requestOf(r)
	if lasts(request, r) {
		defer s.requests.Open(request)()
	}
	noted := &notedWriter{ResponseWriter: w, code: http.StatusOK}
	defer func() { s.requests.Count(request, noted.code) }() // also if a handler breaks the answer off
	serve(noted, r)
}

// requestOf is how a request is counted, by words that are those of a resource that there is, or
// none.
func (s *Server) requestOf(r *http.Request) scrape.Request {
	t, ok := parseTarget(r.URL)
	found := s.resources[schema.GroupVersionResource{Group: t.group, Version: t.version, Resource: t.resource}]
	if !ok || found == nil {
		return scrape.Request{Verb: methodOf(r)}
	}
	request := scrape.Request{Group: t.group, Version: t.version, Resource: t.resource}
	if _, ok := found.subresource(t.subresource); ok {
		request.Subresource = t.subresource
	}
	switch request.Subresource {
	case "exec", "attach", "portforward":
		request.Verb = "CONNECT"
		return request
	}
	switch verb := verbOf(r, t); verb {
	case "list", "watch", "deletecollection":
		request.Verb = strings.ToUpper(verb)
	case "patch":
		request.Verb = methodOf(r)
		if r.Header.Get("Content-Type") == string(types.ApplyYAMLPatchType) {
			request.Verb = "APPLY"
		}
	default:
		request.Verb = methodOf(r)
	}
	return request
}

// methodOf is a request's method, of those that HTTP has.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "OTHER"
}

// lasts reports whether a request goes on until its client or the run ends it.
func lasts(request scrape.Request, r *http.Request) bool {
	follow, _ := strconv.ParseBool(r.URL.Query().Get("follow"))
	return request.Verb == "WATCH" || request.Verb == "CONNECT" || follow && (request.Subresource == "log" || request.Subresource == "attempts")
}

// notedWriter notes the status of an answer.
type notedWriter struct {
	http.ResponseWriter
	code int
}

// WriteHeader implements [http.ResponseWriter].
func (w *notedWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap is for [http.ResponseController].
func (w *notedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack implements [http.Hijacker]. It fails over HTTP/2, as there it is not possible.
func (w *notedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffer, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.code = http.StatusSwitchingProtocols
	}
	return conn, buffer, err
}
