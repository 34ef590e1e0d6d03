package compose

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Probe are the times of a probe as Kubernetes has them, in seconds.
type Probe struct{ Period, Timeout, Failures int }

// Probes are what a health check becomes.
type Probes struct {
	Readiness Probe
	// Startup is nil without a start period.
	Startup *Probe
	// Liveness is nil unless somebody asked for it.
	Liveness *Probe
}

// ProbesOf are the probes of a health check. Times are rounded up to whole seconds, as Kubernetes
// has no others. The start period becomes a startup probe, not an initial delay, because Docker
// asks within it, and takes a yes. As a startup probe kills, it has patience until Docker would
// call the container unhealthy: retries intervals after the start period, not start intervals.
func ProbesOf(t Timing, liveness bool) Probes {
	steady := Probe{Seconds(t.Interval), Seconds(t.Timeout), max(t.Retries, 1)}
	p := Probes{Readiness: steady}
	if t.StartPeriod > 0 {
		period := Seconds(t.StartInterval)
		p.Startup = &Probe{period, steady.Timeout, ceil(t.Span(StartsLong).To, seconds(period)) + 1}
	}
	if liveness {
		p.Liveness = &steady
	}
	return p
}

func ceil(d, by time.Duration) int { return int((d + by - 1) / by) }

// probes writes the probes of a service into its container.
func (w *writer) probes(container *yaml.Node, s *Service) {
	h := s.Healthcheck
	path := Path{Service: s.Name}
	switch {
	case h == nil:
		if !s.completes {
			w.noteMissing(s.At, path, "no healthcheck: what it has in its image, nobody sees here, and Kubernetes will send requests as soon as the program was started; write one")
		}
		return
	case h.Disabled:
		w.noteDifferent(h.At, path.field("healthcheck"), "the health check of the image is switched off, and there will be no probe")
		return
	case h.Inherited:
		w.noteMissing(h.At, path.field("healthcheck"), "the command is that of the image, which nobody sees here: write test too, or there will be no probe")
		return
	}
	timing := h.Timing
	r, isRequest := requestOf(h)
	if isRequest && r.within > 0 && r.within < timing.Timeout {
		timing.Timeout = r.within
	}
	p := ProbesOf(timing, w.liveness)
	for _, probe := range []struct {
		name  string
		times *Probe
		delay string
	}{{"startupProbe", p.Startup, "start_interval"}, {"readinessProbe", &p.Readiness, "interval"}, {"livenessProbe", p.Liveness, "interval"}} {
		if probe.times == nil {
			continue
		}
		n := w.mapping(h.At)
		w.handler(n, h, r, isRequest)
		w.put(n, "periodSeconds", w.number(h.PositionOf(probe.delay), probe.times.Period))
		w.put(n, "timeoutSeconds", w.number(h.PositionOf("timeout"), probe.times.Timeout))
		w.put(n, "failureThreshold", w.number(h.PositionOf("retries"), probe.times.Failures))
		w.put(container, probe.name, n)
	}
	if isRequest {
		needs := "listen on all addresses"
		if !r.connect && !slices.ContainsFunc(r.headers, func(one header) bool { return strings.EqualFold(one.name, "Host") }) {
			needs += ", and take that as Host"
		}
		w.noteDifferent(h.PositionOf("test"), path.field("healthcheck.test"), "Docker would ask localhost inside the container, Kubernetes will ask the Pod's address: the program has to %s", needs)
	}
	for _, statement := range Compare(timing, p) {
		w.noteDifferent(h.PositionOf(statement.Field), h.pathOf(path.field("healthcheck"), statement.Field), "%s", statement)
	}
}

// pathOf is the path of a field of a health check, or of the health check if the field is not
// written.
func (h *Healthcheck) pathOf(path Path, field string) Path {
	if _, ok := h.places[field]; ok {
		return path.field(field)
	}
	return path
}

// handler writes what a probe does.
func (w *writer) handler(n *yaml.Node, h *Healthcheck, r request, isRequest bool) {
	at := h.PositionOf("test")
	switch {
	case isRequest && r.connect:
		tcp := w.mapping(at)
		w.put(tcp, "port", w.number(at, r.port))
		w.put(n, "tcpSocket", tcp)
	case isRequest:
		get := w.mapping(at)
		w.put(get, "path", w.text(at, r.path))
		w.put(get, "port", w.number(at, r.port))
		if r.scheme != "HTTP" {
			w.put(get, "scheme", w.text(at, r.scheme))
		}
		var headers []*yaml.Node
		for _, header := range r.headers {
			one := w.mapping(at)
			w.put(one, "name", w.text(at, header.name))
			w.put(one, "value", w.text(at, header.value))
			headers = append(headers, one)
		}
		if headers != nil {
			w.put(get, "httpHeaders", w.list(at, headers...))
		}
		w.put(n, "httpGet", get)
	default:
		words := h.Command
		if h.Shell {
			words = append([]Word{{"/bin/sh", at}, {"-c", at}}, words...)
		}
		exec := w.mapping(at)
		w.put(exec, "command", w.words(words))
		w.put(n, "exec", exec)
	}
}

// literal is a text that means the same where Kubernetes replaces $(NAME).
func literal(text string) string {
	if !strings.Contains(text, "$$") && !strings.Contains(text, "$(") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '$' && i+1 < len(text) && (text[i+1] == '$' || text[i+1] == '(') {
			b.WriteByte('$')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// writer makes the nodes of an object. Each has the place of what it comes from, if that is in the
// file that is read, and else that of the service.
type writer struct {
	*problems
	file     string
	liveness bool
	usual    Place
	fields   map[*yaml.Node]string
}

func (w *writer) node(at Place, kind yaml.Kind, tag, text string) *yaml.Node {
	if at.File != w.file || at.Line == 0 {
		at = w.usual
	}
	n := &yaml.Node{Kind: kind, Tag: tag, Value: text, Line: at.Line, Column: at.Column}
	if at.Path.Service != "" && at.Path.Field != "" {
		w.fields[n] = at.Path.Field
	}
	return n
}

func (w *writer) mapping(at Place) *yaml.Node {
	return w.node(at, yaml.MappingNode, "!!map", "")
}

func (w *writer) list(at Place, items ...*yaml.Node) *yaml.Node {
	n := w.node(at, yaml.SequenceNode, "!!seq", "")
	n.Content = items
	return n
}

func (w *writer) number(at Place, n int) *yaml.Node {
	return w.node(at, yaml.ScalarNode, "!!int", strconv.Itoa(n))
}

// text quotes what YAML 1.1 would take for something else.
func (w *writer) text(at Place, s string) *yaml.Node {
	n := w.node(at, yaml.ScalarNode, "!!str", s)
	if !isPlain(s) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// isPlain reports whether a text needs no quotes: a word that no reader takes for a number or a
// boolean.
func isPlain(s string) bool {
	switch strings.ToLower(s) {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	letter := s[0] | 0x20
	if !(letter >= 'a' && letter <= 'z') && s[0] != '/' {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if !(c >= 'a' && c <= 'z' || s[i] >= '0' && s[i] <= '9' || strings.IndexByte("-_./", s[i]) >= 0) {
			return false
		}
	}
	return true
}

func (w *writer) words(words []Word) *yaml.Node {
	var items []*yaml.Node
	for _, word := range words {
		items = append(items, w.text(word.At, literal(word.Text)))
	}
	return w.list(words[0].At, items...)
}

// put adds a field.
func (w *writer) put(to *yaml.Node, key string, n *yaml.Node) {
	to.Content = append(to.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key, Line: n.Line, Column: n.Column}, n)
}
