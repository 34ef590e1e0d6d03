package otel_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/health"
	"github.com/probity-run/probity/health/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// A meter has what the library's own exposition has, under names that a Prometheus exporter turns
// into its names.
func TestMeterAgreesWithMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := health.New(health.Options{ShutdownDelay: -1})
		h.Startup("weights").Progress(1, 4)
		h.Ready("database", func(context.Context) error { time.Sleep(250 * time.Millisecond); return nil })
		h.Depends("billing", func(context.Context) error { return errors.New("down") })
		h.Live("loop", time.Minute)
		h.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/livez", nil))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		reader := metric.NewManualReader()
		provider := metric.NewMeterProvider(metric.WithReader(reader))
		registration, err := otel.Register(provider.Meter("test"), h)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		got, want := collected(t, reader), exposed(h)
		if !slices.Equal(got, want) {
			t.Errorf("the meter has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if check := `health_check_ok{kind="owned",name="database",type="readyz"} 1`; !slices.Contains(got, check) {
			t.Errorf("the meter has\n%s\nwant %s", strings.Join(got, "\n"), check)
		}
		if err := registration.Unregister(); err != nil {
			t.Error(err)
		}
		if got := collected(t, reader); len(got) != 0 {
			t.Errorf("after Unregister the meter has %q", got)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// collected returns the points of a meter as lines of Prometheus' format.
func collected(t *testing.T, reader *metric.ManualReader) (lines []string) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	add := func(name, suffix string, set attribute.Set, value any) {
		var labels []string
		for _, pair := range set.ToSlice() {
			labels = append(labels, fmt.Sprintf("%s=%q", pair.Key, pair.Value.AsString()))
		}
		lines = append(lines, fmt.Sprintf("%s%s{%s} %v", strings.ReplaceAll(name, ".", "_"), suffix, strings.Join(labels, ","), value))
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Gauge[int64]:
				for _, point := range data.DataPoints {
					add(m.Name, "", point.Attributes, point.Value)
				}
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					add(m.Name, "_total", point.Attributes, point.Value)
				}
			case metricdata.Gauge[float64]:
				for _, point := range data.DataPoints {
					add(m.Name, map[string]string{"s": "_seconds", "": ""}[m.Unit], point.Attributes, point.Value)
				}
			default:
				t.Errorf("%s is a %T", m.Name, data)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func scrape(h *health.Health) string {
	w := httptest.NewRecorder()
	h.Metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// exposed returns the lines of the library's own exposition, with sorted labels.
func exposed(h *health.Health) (lines []string) {
	for line := range strings.Lines(scrape(h)) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), "{")
		if !ok {
			continue
		}
		labels, value, _ := strings.Cut(rest, "} ")
		pairs := strings.Split(labels, ",")
		slices.Sort(pairs)
		lines = append(lines, fmt.Sprintf("%s{%s} %s", name, strings.Join(pairs, ","), value))
	}
	slices.Sort(lines)
	return lines
}
