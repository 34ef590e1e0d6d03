// Package otel exports a [health.Health] by an OpenTelemetry meter:
//
//	registration, err := otel.Register(provider.Meter("shop"), h)
//
// The names have dots (health.check.ok), as OpenTelemetry wants; an exporter to Prometheus makes of
// them those of [health.Health.Metrics], such as health_check_ok and health_checks_total.
package otel

import (
	"context"
	"errors"
	"fmt"

	"github.com/probity-run/probity/health"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Register makes a meter read h at each collection, until the registration that it returns is
// unregistered. The attribute type is the endpoint: startupz, readyz (dependencies too) or livez.
//
//	health.probe.ok{type}                gauge       the answer to a probe, 1 or 0
//	health.probes{type,status}           counter     probes answered, with success or error
//	health.check.ok{name,type,kind}      gauge       one task, check or heartbeat, 1 or 0
//	health.checks{name,type,status}      counter     results of checks
//	health.check.duration{name,type}     gauge in s  of the last run
//	health.check.age{name,type}          gauge in s  of the last result, progress or beat
//	health.startup.progress{name}        gauge       done / total, once there is a total
func Register(meter metric.Meter, h *health.Health) (metric.Registration, error) {
	b := builder{meter: meter}
	i := instruments{
		probe:    b.gauge("health.probe.ok", "The answer to a probe: 1 or 0."),
		asked:    b.counter("health.probes", "Probes answered."),
		check:    b.gauge("health.check.ok", "One task, check or heartbeat: 1 or 0."),
		results:  b.counter("health.checks", "Results of checks."),
		duration: b.measure("health.check.duration", "Duration of the last run.", "s"),
		age:      b.measure("health.check.age", "Age of the last result, progress or beat.", "s"),
		progress: b.measure("health.startup.progress", "Done / total of a startup task.", ""),
	}
	if b.err != nil {
		return nil, fmt.Errorf("cannot export health: %w", b.err)
	}
	registration, err := meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		i.observe(to, h)
		return nil
	}, i.probe, i.asked, i.check, i.results, i.duration, i.age, i.progress)
	if err != nil {
		return nil, fmt.Errorf("cannot export health: %w", err)
	}
	return registration, nil
}

// builder makes instruments, and keeps what went wrong.
type builder struct {
	meter metric.Meter
	err   error
}

func (b *builder) gauge(name, description string) metric.Int64ObservableGauge {
	i, err := b.meter.Int64ObservableGauge(name, metric.WithDescription(description))
	b.err = errors.Join(b.err, err)
	return i
}

func (b *builder) counter(name, description string) metric.Int64ObservableCounter {
	i, err := b.meter.Int64ObservableCounter(name, metric.WithDescription(description))
	b.err = errors.Join(b.err, err)
	return i
}

func (b *builder) measure(name, description, unit string) metric.Float64ObservableGauge {
	i, err := b.meter.Float64ObservableGauge(name, metric.WithDescription(description), metric.WithUnit(unit))
	b.err = errors.Join(b.err, err)
	return i
}

type instruments struct {
	probe, check            metric.Int64ObservableGauge
	asked, results          metric.Int64ObservableCounter
	duration, age, progress metric.Float64ObservableGauge
}

func (i instruments) observe(to metric.Observer, h *health.Health) {
	for p, endpoint := range map[health.Probe]string{health.Startup: "startupz", health.Readiness: "readyz", health.Liveness: "livez"} {
		report, kind := h.Report(p), attribute.String("type", endpoint)
		succeeded, failed := h.Asked(p)
		to.ObserveInt64(i.probe, one(report.OK), metric.WithAttributes(kind))
		to.ObserveInt64(i.asked, int64(succeeded), metric.WithAttributes(kind, status("success")))
		to.ObserveInt64(i.asked, int64(failed), metric.WithAttributes(kind, status("error")))
		for _, s := range report.Checks {
			i.observeStatus(to, kind, s)
		}
	}
}

func status(word string) attribute.KeyValue { return attribute.String("status", word) }

func (i instruments) observeStatus(to metric.Observer, kind attribute.KeyValue, s health.Status) {
	name := attribute.String("name", s.Name)
	to.ObserveInt64(i.check, one(s.State == "ok"), metric.WithAttributes(name, kind, attribute.String("kind", string(s.Kind))))
	if s.Age >= 0 {
		to.ObserveFloat64(i.age, s.Age.Seconds(), metric.WithAttributes(name, kind))
	}
	switch s.Kind {
	case health.Owned, health.Dependency:
		to.ObserveInt64(i.results, int64(s.Succeeded), metric.WithAttributes(name, kind, status("success")))
		to.ObserveInt64(i.results, int64(s.Failed), metric.WithAttributes(name, kind, status("error")))
		to.ObserveFloat64(i.duration, s.Duration.Seconds(), metric.WithAttributes(name, kind))
	case health.StartupTask:
		if s.Total > 0 {
			to.ObserveFloat64(i.progress, float64(s.Done)/float64(s.Total), metric.WithAttributes(name))
		}
	}
}

func one(ok bool) int64 {
	if ok {
		return 1
	}
	return 0
}
