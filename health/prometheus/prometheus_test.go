package prometheus_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/health"
	bridge "github.com/probity-run/probity/health/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The collector gives what the library's own exposition gives.
func TestCollectorAgreesWithMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := health.New(health.Options{ShutdownDelay: -1})
		h.Startup("weights").Progress(1, 4)
		h.Ready("database", func(context.Context) error { time.Sleep(250 * time.Millisecond); return nil })
		h.Depends("billing", func(context.Context) error { return errors.New("down") })
		h.Live("loop", time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(bridge.Collector(h))
		time.Sleep(time.Second)
		synctest.Wait()
		got, want := samples(scrape(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))), samples(scrape(h.Metrics()))
		if !slices.Equal(got, want) {
			t.Errorf("the collector says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if check := `health_check_ok{kind="owned",name="database",type="readyz"} 1`; !slices.Contains(got, check) {
			t.Errorf("the collector says\n%s\nwant %s", strings.Join(got, "\n"), check)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func scrape(handler http.Handler) string {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// samples returns the lines that are no comments, with sorted labels.
func samples(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), "{")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		labels, value, _ := strings.Cut(rest, "}")
		sorted := strings.Split(labels, ",")
		slices.Sort(sorted)
		lines = append(lines, name+"{"+strings.Join(sorted, ",")+"}"+value)
	}
	slices.Sort(lines)
	return lines
}
