package measure

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/tune"
	"github.com/probity-run/probity/probe"
)

// endpoint is what one or more probes of a container ask.
type endpoint struct {
	container *corev1.Container
	probes    []string            // "startup", "readiness", "liveness"
	handler   corev1.ProbeHandler // plain
	request   tune.Request
	timeout   time.Duration // the longest of the probes
}

// endpointsOf are what the probes of a container ask, each once.
func endpointsOf(c *corev1.Container) (list []*endpoint) {
	for _, p := range []struct {
		name string
		spec *corev1.Probe
	}{{"startup", c.StartupProbe}, {"readiness", c.ReadinessProbe}, {"liveness", c.LivenessProbe}} {
		if p.spec == nil {
			continue
		}
		e := &endpoint{container: c, handler: plain(c, &p.spec.ProbeHandler), request: RequestOf(c, &p.spec.ProbeHandler), timeout: time.Duration(p.spec.TimeoutSeconds) * time.Second}
		if i := slices.IndexFunc(list, func(o *endpoint) bool { return reflect.DeepEqual(o.handler, e.handler) }); i >= 0 {
			list[i].probes = append(list[i].probes, p.name)
			list[i].timeout = max(list[i].timeout, e.timeout)
			continue
		}
		e.probes = []string{p.name}
		list = append(list, e)
	}
	return list
}

// RequestOf is what a probe of a container asks, as a series has it.
func RequestOf(c *corev1.Container, h *corev1.ProbeHandler) tune.Request {
	resolved := plain(c, h)
	return tune.Request{Text: textOf(h), Resolved: textOf(&resolved)}
}

// plain is a handler of a container in the one form that stands for all ways to write it: the port
// is a number, what is left out has its default, and headers are in the order of their names. What
// it is given is not changed.
func plain(c *corev1.Container, h *corev1.ProbeHandler) corev1.ProbeHandler {
	p := *h.DeepCopy()
	switch {
	case p.HTTPGet != nil:
		get := p.HTTPGet
		get.Port = numbered(c, get.Port)
		get.Path = "/" + strings.TrimPrefix(get.Path, "/")
		get.Scheme = cmp.Or(corev1.URIScheme(strings.ToUpper(string(get.Scheme))), corev1.URISchemeHTTP)
		for i := range get.HTTPHeaders {
			get.HTTPHeaders[i].Name = http.CanonicalHeaderKey(get.HTTPHeaders[i].Name)
		}
		slices.SortStableFunc(get.HTTPHeaders, func(a, b corev1.HTTPHeader) int { return strings.Compare(a.Name, b.Name) })
	case p.TCPSocket != nil:
		p.TCPSocket.Port = numbered(c, p.TCPSocket.Port)
	case p.GRPC != nil && p.GRPC.Service == nil:
		p.GRPC.Service = new("")
	}
	return p
}

// numbered is a port by its number: a name is that of one of the container's ports, or else a
// number (R76). What is neither stays as it is.
func numbered(c *corev1.Container, port intstr.IntOrString) intstr.IntOrString {
	if port.Type == intstr.Int {
		return port
	}
	for _, p := range c.Ports {
		if p.Name == port.StrVal {
			return intstr.FromInt32(p.ContainerPort)
		}
	}
	if n, err := strconv.ParseInt(port.StrVal, 10, 32); err == nil {
		return intstr.FromInt32(int32(n))
	}
	return port
}

// textOf describes what a probe asks.
func textOf(h *corev1.ProbeHandler) string {
	switch {
	case h.HTTPGet != nil:
		scheme := ""
		if strings.EqualFold(string(h.HTTPGet.Scheme), string(corev1.URISchemeHTTPS)) {
			scheme = "https://"
		}
		words := []string{fmt.Sprintf("GET %s%s:%s/%s", scheme, h.HTTPGet.Host, h.HTTPGet.Port.String(), strings.TrimPrefix(h.HTTPGet.Path, "/"))}
		for _, header := range h.HTTPGet.HTTPHeaders {
			words = append(words, header.Name) // a value may be a secret
		}
		return strings.Join(words, " ")
	case h.TCPSocket != nil:
		return "tcp " + h.TCPSocket.Host + ":" + h.TCPSocket.Port.String()
	case h.GRPC != nil && h.GRPC.Service != nil && *h.GRPC.Service != "":
		return fmt.Sprintf("grpc :%d %s", h.GRPC.Port, *h.GRPC.Service)
	case h.GRPC != nil:
		return fmt.Sprintf("grpc :%d", h.GRPC.Port)
	}
	return "exec " + strings.Join(h.Exec.Command, " ")
}

// interval is the time between two samples.
func (e *endpoint) interval() time.Duration {
	if e.handler.Exec != nil {
		return time.Second / 2 // a process each
	}
	return time.Second / 20
}

// patience is after how long another attempt is made while a container starts: as long as its
// probes would wait for an answer, and a second at least. Processes that hang slow down the start
// beside which they run, so there are three of them at most.
func (e *endpoint) patience() time.Duration {
	if e.handler.Exec != nil {
		return max(e.timeout, giveUp/2-time.Second)
	}
	return max(e.timeout, time.Second)
}

// giveUp is how long an answer is waited for.
const giveUp = 30 * time.Second

// prober asks an endpoint of one Pod.
func (l *lab) prober(e *endpoint, pod *corev1.Pod) probe.Prober {
	h := e.handler
	way := &way{lab: l, pod: pod, container: e.container}
	switch {
	case h.HTTPGet != nil:
		get := probe.HTTPGet{Scheme: string(h.HTTPGet.Scheme), Host: h.HTTPGet.Host, Path: h.HTTPGet.Path, Timeout: giveUp}
		for _, header := range h.HTTPGet.HTTPHeaders {
			get.Headers = append(get.Headers, probe.Header{Name: header.Name, Value: header.Value})
		}
		get.Port = way.toward(h.HTTPGet.Port)
		if get.Host == "" {
			get.Client = &probe.HTTPClient{Dial: way.dial}
		}
		return get
	case h.TCPSocket != nil:
		tcp := probe.TCPSocket{Host: h.TCPSocket.Host, Port: way.toward(h.TCPSocket.Port), Timeout: giveUp}
		if tcp.Host == "" {
			tcp.Dial = way.dial
		}
		return tcp
	case h.GRPC != nil:
		grpc := probe.GRPC{Port: way.toward(intstr.FromInt32(h.GRPC.Port)), Timeout: giveUp, Dial: way.dial}
		if h.GRPC.Service != nil {
			grpc.Service = *h.GRPC.Service
		}
		return grpc
	}
	return command{way, h.Exec.Command}
}

// way leads to a Pod. It is safe for concurrent use.
type way struct {
	lab       *lab
	pod       *corev1.Pod
	container *corev1.Container
	declared  int32

	mu    sync.Mutex
	found string // where it listens, once somebody got there
}

// toward sets the port that is meant, of a handler that is plain, and returns its number.
func (w *way) toward(port intstr.IntOrString) int {
	w.declared = port.IntVal
	return int(w.declared)
}

// dial connects to the Pod, wherever its program listens.
func (w *way) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	w.mu.Lock()
	found := w.found
	w.mu.Unlock()
	if found != "" {
		var d net.Dialer
		return d.DialContext(ctx, network, found)
	}
	conn, err := w.lab.system.DialPort(ctx, w.pod.UID, w.declared)
	if err == nil {
		w.mu.Lock()
		w.found = conn.RemoteAddr().String()
		w.mu.Unlock()
	}
	return conn, err
}

// command is an exec probe, run in the Pod.
type command struct {
	way  *way
	argv []string
}

// Probe runs it once.
func (c command) Probe(ctx context.Context) probe.Result {
	ctx, cancel := context.WithTimeout(ctx, giveUp)
	defer cancel()
	code, err := c.way.lab.system.Exec(ctx, c.way.pod.UID, c.way.container.Name, c.argv, process.Streams{})
	if err != nil || code != 0 {
		return probe.Result{Outcome: probe.Failure, Err: err}
	}
	return probe.Result{Outcome: probe.Success}
}
