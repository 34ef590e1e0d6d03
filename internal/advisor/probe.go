package advisor

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ProbeField is the name of a container's field that holds a probe, which also tells the type of
// the probe.
type ProbeField string

// The fields that hold probes.
const (
	StartupProbe   ProbeField = "startupProbe"
	ReadinessProbe ProbeField = "readinessProbe"
	LivenessProbe  ProbeField = "livenessProbe"
)

// A Probe is one of a container, with its effective numbers.
type Probe struct {
	corev1.ProbeHandler
	Numbers
	// Spec is the probe as it is written, with defaults.
	Spec *corev1.Probe
	// Field is the field of the container that holds it.
	Field     ProbeField
	Container *Container
	// Path leads to the probe in the object.
	Path string
}

func newProbe(c *Container, field ProbeField, spec *corev1.Probe) *Probe {
	if spec == nil {
		return nil
	}
	return &Probe{ProbeHandler: spec.ProbeHandler, Spec: spec, Field: field, Container: c, Path: c.Path + "." + string(field), Numbers: Numbers{
		Delay:            max(int(spec.InitialDelaySeconds), 0),
		Period:           max(int(spec.PeriodSeconds), 1),
		Timeout:          max(int(spec.TimeoutSeconds), 1),
		FailureThreshold: max(int(spec.FailureThreshold), 1),
		SuccessThreshold: max(int(spec.SuccessThreshold), 1),
	}}
}

// TypeName is "startup", "readiness" or "liveness".
func (p *Probe) TypeName() string { return strings.TrimSuffix(string(p.Field), "Probe") }

// Handler is the name of the handler's field, the first in the kubelet's order (R49), or empty.
func (p *Probe) Handler() string {
	switch {
	case p.Exec != nil:
		return "exec"
	case p.HTTPGet != nil:
		return "httpGet"
	case p.TCPSocket != nil:
		return "tcpSocket"
	case p.GRPC != nil:
		return "grpc"
	}
	return ""
}

// Port is the port to which the probe connects, as it is written; ok is false for exec.
func (p *Probe) Port() (port intstr.IntOrString, ok bool) {
	switch p.Handler() {
	case "httpGet":
		return p.HTTPGet.Port, true
	case "tcpSocket":
		return p.TCPSocket.Port, true
	case "grpc":
		return intstr.FromInt32(p.GRPC.Port), true
	}
	return intstr.IntOrString{}, false
}

// PortPath is the path of the field that Port returns.
func (p *Probe) PortPath() string { return p.Path + "." + p.Handler() + ".port" }

// PortNumber resolves the port as the kubelet does: a name stands for a port of this container
// (R76).
func (p *Probe) PortNumber() (int32, bool) {
	port, ok := p.Port()
	if !ok || p.Host() != "" {
		return 0, false
	}
	if port.Type == intstr.Int {
		return port.IntVal, true
	}
	named, ok := p.Container.PortNamed(port.StrVal)
	return named.ContainerPort, ok
}

// Host is the host that httpGet or tcpSocket names instead of the pod, or empty.
func (p *Probe) Host() string {
	switch p.Handler() {
	case "httpGet":
		return p.HTTPGet.Host
	case "tcpSocket":
		return p.TCPSocket.Host
	}
	return ""
}

// SameRequest reports whether two probes of a container ask the same thing.
func (p *Probe) SameRequest(q *Probe) bool {
	if p.Handler() != q.Handler() || p.Handler() == "" {
		return false
	}
	return p.request() == q.request()
}

// request is what the probe asks, for comparing it with another.
func (p *Probe) request() string {
	number, resolved := p.PortNumber()
	port, _ := p.Port()
	where := port.String()
	if resolved {
		where = strconv.Itoa(int(number))
	}
	switch p.Handler() {
	case "exec":
		return strings.Join(p.Exec.Command, "\x00")
	case "httpGet":
		var headers []string
		for _, h := range p.HTTPGet.HTTPHeaders {
			headers = append(headers, http.CanonicalHeaderKey(h.Name)+"="+h.Value)
		}
		return fmt.Sprint(p.HTTPGet.Scheme, p.Host(), where, "/"+strings.TrimPrefix(p.HTTPGet.Path, "/"), headers)
	case "grpc":
		return where + "/" + *p.GRPC.Service
	}
	return p.Host() + ":" + where
}

// Request describes what the probe asks, for a message: "GET :8080/livez", "tcp :5432", "exec
// pg_isready".
func (p *Probe) Request() string {
	port, _ := p.Port()
	switch p.Handler() {
	case "exec":
		return "exec " + strings.Join(p.Exec.Command, " ")
	case "httpGet":
		return "GET :" + port.String() + "/" + strings.TrimPrefix(p.HTTPGet.Path, "/")
	case "grpc":
		if *p.GRPC.Service != "" {
			return "grpc :" + port.String() + " " + *p.GRPC.Service
		}
		return "grpc :" + port.String()
	}
	return "tcp :" + port.String()
}

// Finding makes a finding about the probe. field is a path in the probe; empty means the probe
// itself.
func (p *Probe) Finding(field, format string, args ...any) Finding {
	path := string(p.Field)
	if field != "" {
		path += "." + field
	}
	return p.Container.Finding(path, format, args...)
}

// Set is the patch that sets one number of the probe.
func (p *Probe) Set(field string, value int) *Patch {
	text := strconv.Itoa(value)
	return &Patch{Summary: string(p.Field) + "." + field + ": " + text, Edits: []Edit{{Path: p.Path + "." + field, Value: text}}}
}

// NeverFails says what follows if the probe never fails, for a message.
func (p *Probe) NeverFails() string {
	switch p.Field {
	case LivenessProbe:
		return "a hang is never noticed"
	case ReadinessProbe:
		return "the pod is ready even if it cannot serve"
	}
	return "the container counts as started at once"
}
