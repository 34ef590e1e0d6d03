package health

import (
	"fmt"
	"net/http"
	"strings"
)

// Metrics serves what is known in Prometheus' text format, without a client library. The label type
// is the endpoint: startupz, readyz (dependencies too) or livez.
//
//	health_probe_ok{type}                     gauge    the answer to a probe, 1 or 0
//	health_probes_total{type,status}          counter  probes answered; 0 if a probe is never sent
//	health_check_ok{name,type,kind}           gauge    one task, check or heartbeat, 1 or 0
//	health_checks_total{name,type,status}     counter  results of checks
//	health_check_duration_seconds{name,type}  gauge    of the last run
//	health_check_age_seconds{name,type}       gauge    of the last result, progress or beat
//	health_startup_progress{name}             gauge    done / total, once there is a total
func (h *Health) Metrics() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"text/plain; version=0.0.4; charset=utf-8"}
		w.Header()["Cache-Control"] = noStore
		_, _ = w.Write([]byte(h.exposition())) // if it fails, the scraper has gone
	})
}

// Asked returns how often a probe was answered with success and with failure.
func (h *Health) Asked(p Probe) (succeeded, failed uint64) {
	counts := &h.asked[p.index()]
	return counts[1].Load(), counts[0].Load()
}

func (h *Health) exposition() string {
	e := exposition{}
	for _, p := range probes {
		r := h.Report(p)
		succeeded, failed := h.Asked(p)
		e.add("health_probe_ok", "gauge", one(r.OK), "type", p.path())
		e.add("health_probes_total", "counter", float64(succeeded), "type", p.path(), "status", "success")
		e.add("health_probes_total", "counter", float64(failed), "type", p.path(), "status", "error")
		for _, s := range r.Checks {
			e.status(p, s)
		}
	}
	return e.String()
}

// exposition collects samples, since all of one name have to stand together.
type exposition struct {
	names   []string
	samples map[string]*strings.Builder
}

func (e *exposition) status(p Probe, s Status) {
	e.add("health_check_ok", "gauge", one(s.State == stateOK), "name", s.Name, "type", p.path(), "kind", string(s.Kind))
	if s.Age >= 0 {
		e.add("health_check_age_seconds", "gauge", s.Age.Seconds(), "name", s.Name, "type", p.path())
	}
	switch s.Kind {
	case Owned, Dependency:
		e.add("health_checks_total", "counter", float64(s.Succeeded), "name", s.Name, "type", p.path(), "status", "success")
		e.add("health_checks_total", "counter", float64(s.Failed), "name", s.Name, "type", p.path(), "status", "error")
		e.add("health_check_duration_seconds", "gauge", s.Duration.Seconds(), "name", s.Name, "type", p.path())
	case StartupTask:
		if s.Total > 0 {
			e.add("health_startup_progress", "gauge", float64(s.Done)/float64(s.Total), "name", s.Name)
		}
	}
}

// add adds a sample; labels are pairs of name and value.
func (e *exposition) add(name, kind string, value float64, labels ...string) {
	b, ok := e.samples[name]
	if !ok {
		b = new(strings.Builder)
		fmt.Fprintf(b, "# TYPE %s %s\n", name, kind)
		if e.samples == nil {
			e.samples = map[string]*strings.Builder{}
		}
		e.samples[name], e.names = b, append(e.names, name)
	}
	var pairs []string
	for i := 0; i < len(labels); i += 2 {
		pairs = append(pairs, labels[i]+`="`+escapeLabel(labels[i+1])+`"`)
	}
	fmt.Fprintf(b, "%s{%s} %v\n", name, strings.Join(pairs, ","), value)
}

func (e *exposition) String() string {
	var all strings.Builder
	for _, name := range e.names {
		all.WriteString(e.samples[name].String())
	}
	return all.String()
}

func escapeLabel(value string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value)
}

func one(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}
