package scrape

import (
	"strconv"

	"github.com/probity-run/probity/internal/metrics"
	"github.com/probity-run/probity/internal/proxy"
)

// overTCP is the protocol of a port whose requests are connections.
const overTCP = "tcp"

// serviceFamilies tell what the proxy does: a cluster has no names for that.
func serviceFamilies() []family {
	return []family{
		portFamily("probity_proxy_requests_total", metrics.Counter, "HTTP requests that have ended, by the class of the status that the client got; none if it got none.", writeAnswers, "code"),
		portFamily("probity_proxy_request_duration_seconds", metrics.Durations, "Time from the head of an HTTP request to the end of its answer.", writeLatency),
		portFamily("probity_proxy_connections_total", metrics.Counter, "Connections to a port that is not HTTP.", writeConnections),
		portFamily("probity_proxy_in_flight_requests", metrics.Gauge, "Requests and connections that have not ended, held ones included.", number(func(p *proxy.PortState) float64 { return float64(p.InFlight) })),
		portFamily("probity_proxy_waiting_requests", metrics.Gauge, "Requests that are held because no endpoint is ready.", number(func(p *proxy.PortState) float64 { return float64(p.Waiting) })),
		portFamily("probity_proxy_retries_total", metrics.Counter, "Attempts that followed a failed attempt.", number(func(p *proxy.PortState) float64 { return float64(p.Retries) })),
		portFamily("probity_proxy_failed_requests_total", metrics.Counter, "Requests and connections that got no answer from an endpoint.", number(func(p *proxy.PortState) float64 { return float64(p.Failed) })),
		portFamily("probity_proxy_lost_requests_total", metrics.Counter, "Requests that failed at an endpoint after they were sent, and that no other endpoint answered.", number(func(p *proxy.PortState) float64 { return float64(p.Lost) })),
		portFamily("probity_proxy_abandoned_requests_total", metrics.Counter, "Requests and connections whose client went away before the answer was complete.", number(func(p *proxy.PortState) float64 { return float64(p.Gone) })),
		portFamily("probity_proxy_endpoints", metrics.Gauge, "Endpoints: ready ones get requests; ejected ones refused a connection; withdrawn ones are being stopped; terminating ones are used if there is no ready one.", writeEndpoints, "state"),
	}
}

// portFamily is a family with series for each Service port.
func portFamily(name string, t metrics.Type, help string, write func(*metrics.Writer, *proxy.PortState, ...string), more ...string) family {
	described := metrics.Family{Name: name, Type: t, Help: help, Labels: append([]string{"namespace", "service", "port"}, more...)}
	return family{described, func(w *metrics.Writer, f *facts) {
		for i := range f.ports {
			p := &f.ports[i]
			write(w, p, p.Service.Namespace, p.Service.Name, strconv.Itoa(int(p.Port)))
		}
	}}
}

// number writes one value of a port.
func number(value func(*proxy.PortState) float64) func(*metrics.Writer, *proxy.PortState, ...string) {
	return func(w *metrics.Writer, p *proxy.PortState, labels ...string) { w.Sample(value(p), labels...) }
}

func writeAnswers(w *metrics.Writer, p *proxy.PortState, labels ...string) {
	if p.Protocol == overTCP {
		return
	}
	for class, n := range p.Answers {
		code := "none"
		if class > 0 {
			code = strconv.Itoa(class) + "xx"
		}
		w.Sample(float64(n), append(labels, code)...)
	}
}

func writeLatency(w *metrics.Writer, p *proxy.PortState, labels ...string) {
	if p.Protocol != overTCP {
		w.Durations(p.Latency, labels...)
	}
}

func writeConnections(w *metrics.Writer, p *proxy.PortState, labels ...string) {
	if p.Protocol == overTCP {
		w.Sample(float64(p.Requests), labels...)
	}
}

func writeEndpoints(w *metrics.Writer, p *proxy.PortState, labels ...string) {
	counts := map[string]int{}
	for i := range p.Endpoints {
		counts[endpointState(&p.Endpoints[i])]++
	}
	for _, state := range []string{"ready", "ejected", "withdrawn", "terminating"} {
		w.Sample(float64(counts[state]), append(labels, state)...)
	}
}

// endpointState is the one word for an endpoint.
func endpointState(e *proxy.EndpointState) string {
	switch {
	case e.Withdrawn || e.Exited:
		return "withdrawn"
	case !e.Ready:
		return "terminating"
	case e.Ejected:
		return "ejected"
	}
	return "ready"
}
