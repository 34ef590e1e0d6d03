package recipes

import (
	"context"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/probity-run/probity/health"
)

// Fiber mounts the probes on an app of fiber. It is no net/http server, so [health.Health.Serve] is
// not for it: let h.Run wait for the end, and drain the app.
func Fiber(app *fiber.App, h *health.Health) {
	for _, path := range []string{"/startupz", "/readyz", "/livez"} {
		app.All(path, adaptor.HTTPHandler(h.Handler()))
		app.All(path+"/:check", adaptor.HTTPHandler(h.Handler()))
	}
	h.Drain("fiber", func(ctx context.Context) error { return app.ShutdownWithContext(ctx) })
}
