package draft

import (
	"maps"
	"strconv"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/manifest"
)

// Values are what is in the fields of a form, by name: livenessProbe.periodSeconds. An empty field
// has its default. The handler of a probe is in livenessProbe.handler; an empty one means that
// there is no such probe.
type Values map[string]string

// handlerField is the field with the handler of a probe.
const handlerField = ".handler"

// Handler is how a probe asks, "" if there is no such probe.
func (v Values) Handler(probe string) string { return v[probe+handlerField] }

// Read takes the values of a container's probes. What is the default is empty, unless written
// reports that somebody wrote it; its argument is a field of the container. A nil one knows
// nothing.
func Read(c *corev1.Container, grace int64, written func(field string) bool) Values {
	v := Values{}
	for _, probe := range Probes() {
		p := probeOf(c, probe)
		if p == nil {
			continue
		}
		all := Values{}
		all.readHandler(probe, p)
		all.readNumbers(probe, p)
		for _, parameter := range Parameters(probe, strconv.FormatInt(grace, 10)) {
			field := probe + "." + parameter.Name
			if all[field] == parameter.Default && (written == nil || !written(field)) {
				delete(all, field)
			}
		}
		maps.Copy(v, all)
	}
	return v
}

func probeOf(c *corev1.Container, probe string) *corev1.Probe {
	switch probe {
	case Startup:
		return c.StartupProbe
	case Readiness:
		return c.ReadinessProbe
	}
	return c.LivenessProbe
}

func (v Values) readHandler(probe string, p *corev1.Probe) {
	set := func(name, value string) {
		if value != "" {
			v[probe+"."+name] = value
		}
	}
	switch {
	case p.HTTPGet != nil:
		set("handler", HTTP)
		set("httpGet.path", p.HTTPGet.Path)
		set("httpGet.port", portText(p.HTTPGet.Port))
		set("httpGet.scheme", string(p.HTTPGet.Scheme))
		set("httpGet.host", p.HTTPGet.Host)
		var lines []string
		for _, h := range p.HTTPGet.HTTPHeaders {
			lines = append(lines, h.Name+": "+h.Value)
		}
		set("httpGet.httpHeaders", strings.Join(lines, "\n"))
	case p.TCPSocket != nil:
		set("handler", TCP)
		set("tcpSocket.port", portText(p.TCPSocket.Port))
		set("tcpSocket.host", p.TCPSocket.Host)
	case p.GRPC != nil:
		set("handler", GRPC)
		set("grpc.port", strconv.Itoa(int(p.GRPC.Port)))
		if p.GRPC.Service != nil {
			set("grpc.service", *p.GRPC.Service)
		}
	case p.Exec != nil:
		set("handler", Exec)
		set("exec.command", joinWords(p.Exec.Command))
	}
}

func (v Values) readNumbers(probe string, p *corev1.Probe) {
	set := func(name string, n int64) { v[probe+"."+name] = strconv.FormatInt(n, 10) }
	set("initialDelaySeconds", int64(p.InitialDelaySeconds))
	set("periodSeconds", int64(p.PeriodSeconds))
	set("timeoutSeconds", int64(p.TimeoutSeconds))
	set("failureThreshold", int64(p.FailureThreshold))
	set("successThreshold", int64(p.SuccessThreshold))
	if p.TerminationGracePeriodSeconds != nil {
		set("terminationGracePeriodSeconds", *p.TerminationGracePeriodSeconds)
	}
}

// portText is a port as a field shows it; 0 is none.
func portText(p intstr.IntOrString) string {
	if p.Type == intstr.Int && p.IntVal == 0 {
		return ""
	}
	return p.String()
}

// joinWords writes words so that SplitWords reads the same.
func joinWords(words []string) string {
	var quoted []string
	for _, w := range words {
		plain := w != "" && strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-=:,+@%") == ""
		if !plain {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted = append(quoted, w)
	}
	return strings.Join(quoted, " ")
}

// Error is something wrong with a field.
type Error struct {
	// Field is the name of the field in the form; "" if the form has no such field.
	Field string
	// Text has the API server's path and words.
	Text string
}

// tree is the probe as a manifest has it, without what is empty; nil if there is none. path is that
// of the container.
func (v Values) tree(probe, path string) (tree map[string]any, errs []Error) {
	handler := v.Handler(probe)
	if handler == "" {
		return nil, nil
	}
	tree = map[string]any{}
	inner := map[string]any{}
	tree[handler] = inner
	for _, p := range Parameters(probe, "") {
		field := probe + "." + p.Name
		text := strings.TrimSpace(v[field])
		if text == "" || p.Handler != "" && p.Handler != handler {
			continue
		}
		value, problem := p.parse(text)
		if problem != "" {
			errs = append(errs, Error{field, path + "." + field + ": Invalid value: " + strconv.Quote(text) + ": " + problem})
			continue
		}
		if _, name, nested := strings.Cut(p.Name, "."); nested {
			inner[name] = value
		} else {
			tree[p.Name] = value
		}
	}
	return tree, errs
}

// unwritable reports whether YAML has no plain way to write a character.
func unwritable(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff || r == utf8.RuneError
}

// parse is the value of a field, or what is wrong with it.
func (p Parameter) parse(text string) (value any, problem string) {
	if strings.ContainsFunc(text, unwritable) {
		return nil, "must not have control characters: write them in the manifest"
	}
	switch p.Kind {
	case Number:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return nil, "must be a whole number"
		}
		return n, ""
	case Port:
		if n, err := strconv.ParseInt(text, 10, 32); err == nil {
			return n, ""
		}
		if p.Handler == GRPC {
			return nil, "must be a number"
		}
		return text, ""
	case Lines:
		var headers []any
		for line := range strings.Lines(text) {
			if strings.TrimSpace(line) == "" {
				continue
			}
			name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
			if !ok {
				return nil, "must be lines of the form Name: value"
			}
			headers = append(headers, map[string]any{"name": strings.TrimSpace(name), "value": strings.TrimSpace(value)})
		}
		return headers, ""
	case Words:
		words, err := manifest.SplitWords(text)
		if err != nil {
			return nil, err.Error()
		}
		list := make([]any, len(words))
		for i, w := range words {
			list[i] = w
		}
		return list, ""
	}
	return text, ""
}
