package recipes

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"
	"github.com/probity-run/probity/health"
)

// newHealth returns a service that is ready, with a database that passes and a dependency that
// fails, and runs it until the test ends.
func newHealth(t *testing.T) *health.Health {
	t.Helper()
	h := health.New(health.Options{ShutdownDelay: -1})
	h.Startup("weights").Done()
	h.Ready("database", func(context.Context) error { return nil })
	h.Depends("billing", func(context.Context) error { return errors.New("down") })
	h.Live("loop", time.Minute)
	return h
}

func run(t *testing.T, h *health.Health) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	waitFor(t, func() bool {
		return h.OK(health.Readiness) && strings.Contains(h.Report(health.Readiness).Reason, "billing")
	})
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the condition did not come true within 20 s")
		}
	}
}

// Every page that health has is there, on each router, under the names that the README gives.
func TestMounts(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	for name, mount := range map[string]func(t *testing.T, h *health.Health) (address string){
		"net/http": func(t *testing.T, h *health.Health) string {
			mux := http.NewServeMux()
			NetHTTP(mux, h)
			mux.HandleFunc("/", http.NotFound) // paths of its own
			return serve(t, mux)
		},
		"net/http under a path": func(t *testing.T, h *health.Health) string {
			mux := http.NewServeMux()
			NetHTTPUnder(mux, "/internal", h)
			return serve(t, mux) + "/internal"
		},
		"chi": func(t *testing.T, h *health.Health) string {
			router := chi.NewRouter()
			Chi(router, h)
			return serve(t, router)
		},
		"gin": func(t *testing.T, h *health.Health) string {
			engine := gin.New()
			Gin(engine, h)
			return serve(t, engine)
		},
		"echo": func(t *testing.T, h *health.Health) string {
			e := echo.New()
			Echo(e, h)
			return serve(t, e)
		},
		"fiber": func(t *testing.T, h *health.Health) string {
			app := fiber.New()
			Fiber(app, h)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var serving sync.WaitGroup
			serving.Go(func() {
				if err := app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}); err != nil {
					t.Error(err)
				}
			})
			t.Cleanup(serving.Wait) // run's cleanup comes before, and drains the app
			return "http://" + listener.Addr().String()
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHealth(t)
			address := mount(t, h)
			run(t, h)
			for _, c := range []struct {
				method, path, accept string
				code                 int
				part                 string
			}{
				{"GET", "/startupz", "", 200, "ok"},
				{"GET", "/readyz", "*/*", 200, "ok\ndegraded: billing failing"},
				{"GET", "/livez", "", 200, "ok"},
				{"HEAD", "/readyz", "", 200, ""},
				{"GET", "/readyz/database", "", 200, "ok"},
				{"GET", "/readyz/billing", "", 503, "failing"},
				{"GET", "/livez/loop", "", 200, "ok"},
				{"GET", "/startupz/weights", "", 200, "ok"},
				{"GET", "/readyz/nobody", "", 404, "readiness has no check of that name"},
				{"GET", "/readyz?verbose", "", 200, "[+]database ok"},
				{"GET", "/readyz?exclude=billing", "", 200, "ok"},
				{"GET", "/readyz", "application/json", 200, `"degraded":["billing"]`},
				{"GET", "/readyz", "application/health+json", 200, `"status":"warn"`},
				{"POST", "/readyz", "", 405, ""},
			} {
				code, body := send(t, c.method, address+c.path, c.accept)
				if code != c.code || !strings.Contains(body, c.part) {
					t.Errorf("%s %s: %d %q, want %d with %q", c.method, c.path, code, body, c.code, c.part)
				}
			}
		})
	}
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func send(t *testing.T, method, address, accept string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
