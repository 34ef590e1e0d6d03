package recipes

import (
	"github.com/gin-gonic/gin"
	"github.com/probity-run/probity/health"
)

// Gin mounts the probes on an engine or a group without a prefix. Routes that are added before
// engine.Use(gin.Logger()) are not logged.
func Gin(router gin.IRoutes, h *health.Health) {
	for _, path := range []string{"/startupz", "/readyz", "/livez"} {
		router.Any(path, gin.WrapH(h.Handler()))
		router.Any(path+"/:check", gin.WrapH(h.Handler()))
	}
}
