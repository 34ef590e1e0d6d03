package recipes

import (
	"github.com/labstack/echo/v4"
	"github.com/probity-run/probity/health"
)

// Echo mounts the probes on an instance of echo.
func Echo(e *echo.Echo, h *health.Health) {
	for _, path := range []string{"/startupz", "/readyz", "/livez"} {
		e.Any(path, echo.WrapHandler(h.Handler()))
		e.Any(path+"/:check", echo.WrapHandler(h.Handler()))
	}
}
