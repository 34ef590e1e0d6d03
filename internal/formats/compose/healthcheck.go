package compose

import (
	"slices"
	"time"

	"github.com/probity-run/probity/internal/manifest"
)

// A Healthcheck is how Docker finds out whether a container is healthy. Docker's defaults are
// filled in.
type Healthcheck struct {
	// Command is what is run: a program and its arguments. It is empty if Disabled.
	Command []Word
	// Shell means that Command is one word for /bin/sh -c.
	Shell bool
	// Disabled means that there is none, whatever the image says.
	Disabled bool
	// Inherited means that the image has the command: the file only sets times.
	Inherited bool
	Timing
	At Place
	// places are the fields that are written, by name.
	places map[string]Place
}

// Timing are the times of a health check.
type Timing struct {
	// Interval is how long Docker waits before a check. Default 30 s.
	Interval time.Duration
	// Timeout is how long a check may take. Default 30 s.
	Timeout time.Duration
	// Retries is how many failures in a row make a container unhealthy. Default 3.
	Retries int
	// StartPeriod is how long failures do not count while there was no success. Default 0.
	StartPeriod time.Duration
	// StartInterval is the interval in the start period, until the first success. Default 5 s.
	StartInterval time.Duration
}

// maxPatience is how long failures may take to count, so that a startup probe that asks every
// second counts as far in the 32 bits that it has.
const maxPatience = 50 * 365 * 24 * time.Hour

// DefaultTiming is Docker's.
func DefaultTiming() Timing {
	return Timing{Interval: 30 * time.Second, Timeout: 30 * time.Second, Retries: 3, StartInterval: 5 * time.Second}
}

// PositionOf is where a field of the health check is written, or else the health check.
func (h *Healthcheck) PositionOf(field string) Place {
	if at, ok := h.places[field]; ok {
		return at
	}
	return h.At
}

func healthcheckFields() []string {
	return []string{"test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"}
}

// healthcheck reads the field of that name.
func (d *decoder) healthcheck(v *value, path Path) {
	h, errs := &Healthcheck{Timing: DefaultTiming(), At: v.at, places: map[string]Place{}}, len(d.errs)
	if !d.isMapping(v, path) {
		return
	}
	for _, e := range v.fields {
		at := path.field(e.key)
		if e.kind == null && slices.Contains(healthcheckFields(), e.key) {
			continue
		}
		h.places[e.key] = e.value.at
		switch e.key {
		case "test":
			d.test(h, e.value, at)
		case "interval":
			d.positive(e.value, at, &h.Interval)
		case "timeout":
			d.positive(e.value, at, &h.Timeout)
		case "start_period":
			d.positive(e.value, at, &h.StartPeriod)
		case "start_interval":
			d.positive(e.value, at, &h.StartInterval)
		case "retries":
			d.retries(h, e.value, at)
		case "disable":
			d.boolean(e.value, at, &h.Disabled)
		default:
			d.unknownHealth(e, path)
		}
	}
	if h.Disabled {
		h.Command = nil
	}
	h.Inherited = !h.Disabled && len(h.Command) == 0
	if patience := float64(h.Retries) * float64(h.Interval+h.Timeout); patience > float64(maxPatience) {
		d.fail(h.PositionOf("retries"), path.field("retries"), manifest.ReasonLimit, "%d failures take longer than 50 years, with that interval: a probe does not count so far", h.Retries)
		h.Retries = DefaultTiming().Retries
	}
	d.service.Healthcheck = h
	if written, ok := h.places["start_interval"]; ok && h.StartPeriod == 0 && !h.Disabled && len(d.errs) == errs {
		d.noteMissing(written, path.field("start_interval"), "without start_period it is never used, by Docker neither: write start_period beside it")
	}
}

// positive reads a time for which Docker takes 0 as its default. One that is shorter than a
// millisecond is refused, as by Docker.
func (d *decoder) positive(v *value, path Path, to *time.Duration) {
	usual := *to
	switch d.duration(v, path, to); {
	case *to == 0:
		*to = usual
	case *to < time.Millisecond:
		d.fail(v.at, path, manifest.ReasonLimit, "%s is shorter than the 1ms that Docker takes", v.shown())
		*to = usual
	}
}

func (d *decoder) retries(h *Healthcheck, v *value, path Path) {
	usual := h.Retries
	if d.number(v, path, &h.Retries); h.Retries == 0 {
		h.Retries = usual
	}
}

// test reads the command of a health check.
func (d *decoder) test(h *Healthcheck, v *value, path Path) {
	if v.kind == scalar {
		h.Shell, h.Command = true, []Word{{v.text, v.at}}
		return
	}
	if v.kind == list && len(v.items) == 0 {
		return // the image's, as for Docker
	}
	if v.kind != list {
		d.fail(v.at, path, manifest.ReasonType, "must be a command line, or a list that begins with CMD, CMD-SHELL or NONE; this is %s", v.what())
		return
	}
	words, ok := d.words(v, path)
	if !ok {
		return
	}
	first, rest := words[0], words[1:]
	switch first.Text {
	case "NONE":
		h.Disabled = true
		return
	case "CMD":
		h.Command = rest
	case "CMD-SHELL":
		h.Shell, h.Command = true, rest
		if len(rest) > 1 {
			d.noteMissing(rest[1].At, path, "after CMD-SHELL the shell runs the first text alone, the others are its arguments: write one text, or CMD")
		}
	default:
		d.fail(first.At, path, manifest.ReasonType, "a list begins with CMD, CMD-SHELL or NONE, not with %q: write [CMD, %s, …]", first.Text, first.Text)
		return
	}
	if len(rest) == 0 {
		d.fail(first.At, path, manifest.ReasonType, "%s has no command behind it", first.Text)
	}
}

// unknownHealth names what was meant by a field that people take from elsewhere.
func (d *decoder) unknownHealth(e entry, path Path) {
	meant := map[string]string{
		"period": "interval", "periodSeconds": "interval", "timeoutSeconds": "timeout", "failureThreshold": "retries", "initialDelaySeconds": "start_period",
		"initial_delay": "start_period", "grace_period": "start_period", "startPeriod": "start_period", "startInterval": "start_interval", "command": "test", "cmd": "test",
		"disabled": "disable", "enabled": "disable", "url": "test", "httpGet": "test", "http_get": "test", "path": "test", "exec": "test",
	}
	if name, ok := meant[e.key]; ok {
		d.fail(e.at, path.field(e.key), manifest.ReasonUnknownField, "unknown field, Compose calls it %s", name)
		return
	}
	if e.key == "successThreshold" || e.key == "success_threshold" {
		d.fail(e.at, path.field(e.key), manifest.ReasonUnknownField, "unknown field: for Docker one success is enough")
		return
	}
	d.unknown(e, path, healthcheckFields())
}
