package recipes

import (
	"github.com/go-chi/chi/v5"
	"github.com/probity-run/probity/health"
)

// Chi mounts the probes on a router of chi. Mounted on the router itself, and not in a group behind
// an access log, they fill no log.
func Chi(router chi.Router, h *health.Health) {
	for _, path := range []string{"/startupz", "/readyz", "/livez"} {
		router.Handle(path, h.Handler())
		router.Handle(path+"/*", h.Handler())
	}
}
