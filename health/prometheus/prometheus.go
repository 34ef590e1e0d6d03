// Package prometheus makes a [health.Health] a collector of Prometheus' Go client, for services
// that export metrics with it already:
//
//	registry.MustRegister(prometheus.Collector(h))
//
// The names are those of [health.Health.Metrics], which needs no client library.
package prometheus

import (
	"github.com/probity-run/probity/health"
	"github.com/prometheus/client_golang/prometheus"
)

// Collector returns a collector that reads h at each scrape. Safe for concurrent use.
func Collector(h *health.Health) prometheus.Collector {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &collector{
		h:        h,
		probe:    describe("health_probe_ok", "The answer to a probe: 1 or 0.", "type"),
		asked:    describe("health_probes_total", "Probes answered.", "type", "status"),
		check:    describe("health_check_ok", "One task, check or heartbeat: 1 or 0.", "name", "type", "kind"),
		results:  describe("health_checks_total", "Results of checks.", "name", "type", "status"),
		duration: describe("health_check_duration_seconds", "Duration of the last run.", "name", "type"),
		age:      describe("health_check_age_seconds", "Age of the last result, progress or beat.", "name", "type"),
		progress: describe("health_startup_progress", "Done / total of a startup task.", "name"),
	}
}

type collector struct {
	h                                                     *health.Health
	probe, asked, check, results, duration, age, progress *prometheus.Desc
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.probe, c.asked, c.check, c.results, c.duration, c.age, c.progress} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(to chan<- prometheus.Metric) {
	for p, endpoint := range map[health.Probe]string{health.Startup: "startupz", health.Readiness: "readyz", health.Liveness: "livez"} {
		report := c.h.Report(p)
		succeeded, failed := c.h.Asked(p)
		to <- gauge(c.probe, one(report.OK), endpoint)
		to <- counter(c.asked, succeeded, endpoint, "success")
		to <- counter(c.asked, failed, endpoint, "error")
		for _, s := range report.Checks {
			c.status(to, endpoint, s)
		}
	}
}

func (c *collector) status(to chan<- prometheus.Metric, endpoint string, s health.Status) {
	to <- gauge(c.check, one(s.State == "ok"), s.Name, endpoint, string(s.Kind))
	if s.Age >= 0 {
		to <- gauge(c.age, s.Age.Seconds(), s.Name, endpoint)
	}
	switch s.Kind {
	case health.Owned, health.Dependency:
		to <- counter(c.results, s.Succeeded, s.Name, endpoint, "success")
		to <- counter(c.results, s.Failed, s.Name, endpoint, "error")
		to <- gauge(c.duration, s.Duration.Seconds(), s.Name, endpoint)
	case health.StartupTask:
		if s.Total > 0 {
			to <- gauge(c.progress, float64(s.Done)/float64(s.Total), s.Name)
		}
	}
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func counter(d *prometheus.Desc, value uint64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
}

func one(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}
