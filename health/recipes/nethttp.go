package recipes

import (
	"net/http"

	"github.com/probity-run/probity/health"
)

// NetHTTP mounts the probes on a mux that has paths of its own. The pattern with a slash at the end
// is for one check alone, as in /readyz/database.
func NetHTTP(mux *http.ServeMux, h *health.Health) {
	for _, path := range []string{"/startupz", "/readyz", "/livez"} {
		mux.Handle(path, h.Handler())
		mux.Handle(path+"/", h.Handler())
	}
}

// NetHTTPUnder mounts the probes below a path, such as "/internal".
func NetHTTPUnder(mux *http.ServeMux, prefix string, h *health.Health) {
	mux.Handle(prefix+"/", http.StripPrefix(prefix, h.Handler()))
}
