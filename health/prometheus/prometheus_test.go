package prometheus_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/health"
	bridge "github.com/probity-run/probity/health/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The collector gives what the library's own exposition gives, but for ages and durations.
func TestCollectorAgreesWithMetrics(t *testing.T) {
	h := health.New(health.Options{ShutdownDelay: -1})
	h.Startup("weights").Progress(1, 4)
	h.Ready("database", func(context.Context) error { return nil })
	h.Depends("billing", func(context.Context) error { return errors.New("down") })
	h.Live("loop", time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(bridge.Collector(h))
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(scrape(h.Metrics()), `health_check_ok{name="database",type="readyz",kind="owned"} 1`); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the check does not run")
		}
	}
	got, want := samples(scrape(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))), samples(scrape(h.Metrics()))
	if !slices.Equal(got, want) {
		t.Errorf("the collector says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func scrape(handler http.Handler) string {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// samples returns the lines that are no comments, with sorted labels and without what depends on
// time.
func samples(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), "{")
		if !ok || strings.HasPrefix(name, "#") || strings.HasSuffix(name, "_seconds") {
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
