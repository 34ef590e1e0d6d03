package dashboard

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/metrics"
	"github.com/probity-run/probity/internal/proxy"
)

// serviceView is a port of a Service.
type serviceView struct {
	ID            string // "default/web:80"
	Service       *corev1.Service
	Name          string // with the port, if there are several
	Address, Also string // where it is served: its own address, and another one
	Target        string
	Ready, Total  int // endpoints
	Traffic       proxy.PortState
	Served        bool // Traffic is known
	PerSec        float64
	HasRate       bool
	Lost          uint64
	Latency       metrics.Distribution // of the last answers
	Workloads     []*podGroup          // behind it
	Endpoints     []discoveryv1.Endpoint
}

func portID(service types.NamespacedName, port int32) string {
	return service.String() + ":" + strconv.Itoa(int(port))
}

// serviceViews are the ports of all Services.
func (s *Server) serviceViews(snap *snapshot, r rates) (views []*serviceView) {
	slicesOf := map[string][]*discoveryv1.EndpointSlice{}
	for _, slice := range sorted[*discoveryv1.EndpointSlice](s) {
		key := slice.Namespace + "/" + slice.Labels[discoveryv1.LabelServiceName]
		slicesOf[key] = append(slicesOf[key], slice)
	}
	for _, service := range snap.objects.services {
		for _, port := range service.Spec.Ports {
			v := &serviceView{ID: portID(types.NamespacedName{Namespace: service.Namespace, Name: service.Name}, port.Port), Service: service, Name: service.Name}
			if len(service.Spec.Ports) > 1 {
				v.Name += ":" + cmp.Or(port.Name, strconv.Itoa(int(port.Port)))
			}
			v.place(service, port)
			v.endpoints(slicesOf[service.Namespace+"/"+service.Name], port.Name)
			v.Workloads = snap.behind(service)
			v.traffic(snap, r)
			views = append(views, v)
		}
	}
	return views
}

// place is where a port is served.
func (v *serviceView) place(service *corev1.Service, port corev1.ServicePort) {
	number := strconv.Itoa(int(port.Port))
	v.Target = cmp.Or(port.TargetPort.String(), number)
	served := service.Annotations[manifest.AnnotationAddress+number]
	own := ""
	if ip := service.Spec.ClusterIP; ip != "" && ip != corev1.ClusterIPNone {
		own = ip + ":" + number
	}
	if v.Address = cmp.Or(own, served); own != "" && served != own {
		v.Also = served
	}
}

func (v *serviceView) endpoints(all []*discoveryv1.EndpointSlice, port string) {
	for _, slice := range all {
		for _, p := range slice.Ports {
			if p.Name != nil && *p.Name != port {
				continue
			}
			for _, endpoint := range slice.Endpoints {
				v.Total++
				v.Endpoints = append(v.Endpoints, endpoint)
				if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
					v.Ready++
				}
			}
		}
	}
}

func (v *serviceView) traffic(snap *snapshot, r rates) {
	for _, p := range snap.traffic.Ports {
		if portID(p.Service, p.Port) != v.ID {
			continue
		}
		v.Traffic, v.Served = p, true
		v.Latency = r.latency[v.ID]
		v.PerSec, v.HasRate = r.perSec[v.ID], r.perSec[v.ID] > 0 || hasKey(r.perSec, v.ID)
		for _, endpoint := range p.Endpoints {
			v.Lost += endpoint.Lost
		}
	}
}

func hasKey(m map[string]float64, key string) bool { _, ok := m[key]; return ok }

// behind are the workloads whose Pods a Service selects.
func (snap *snapshot) behind(service *corev1.Service) (all []*podGroup) {
	for _, g := range snap.groups {
		if slices.ContainsFunc(g.pods, func(p *podView) bool { return selects(service, p.Pod) }) {
			all = append(all, g)
		}
	}
	return all
}

// figures are what changes of a Service while it is looked at, by the names that the page has for
// them.
func (v *serviceView) figures() map[string]string {
	f := map[string]string{"ready": fmt.Sprintf("%d/%d", v.Ready, v.Total)}
	if !v.Served {
		return f
	}
	f["rate"] = "–"
	if v.HasRate {
		f["rate"] = rateText(v.PerSec)
	}
	f["lost"] = lostText(v.Lost, v.Traffic.Requests)
	f["flight"] = strconv.Itoa(v.Traffic.InFlight)
	f["waiting"] = strconv.Itoa(v.Traffic.Waiting)
	if v.Traffic.Protocol == "tcp" {
		return f
	}
	f["p50"], f["p99"] = "–", "–"
	if v.Latency.Count() > 0 {
		f["p50"], f["p99"] = diagnosis.Latency(v.Latency.Quantile(.5)), diagnosis.Latency(v.Latency.Quantile(.99))
	}
	return f
}

func rateText(perSec float64) string {
	switch {
	case perSec >= 10_000:
		return fmt.Sprintf("%.0fk", perSec/1000)
	case perSec >= 1000:
		return fmt.Sprintf("%.1fk", perSec/1000)
	case perSec > 0 && perSec < 10:
		return fmt.Sprintf("%.1f", perSec)
	}
	return fmt.Sprintf("%.0f", perSec)
}

func lostText(lost, requests uint64) string {
	switch {
	case lost == 0:
		return "0 %"
	case requests > 0:
		return fmt.Sprintf("%.2f %%", 100*float64(lost)/float64(requests))
	}
	return strconv.FormatUint(lost, 10)
}

// line is a Service in one line, for the page of the Pods.
func (v *serviceView) line() item {
	f := v.figures()
	figure := func(name, unit string) item {
		if f[name] == "" {
			return e("span.fig")
		}
		return e("span.fig", e("b", at("data-fig", name), text(f[name])), e("span", text(unit)))
	}
	return e("div.service", at("data-service", v.ID),
		e("span.cut", at("title", v.Name+" "+v.Address), e("b", text(v.Name)), text(" "), v.link(), when(v.Traffic.Protocol == "h2c", e("span.chip", text("gRPC")))),
		e("span.state", readyShape(v.Ready, v.Total), e("span", e("b", at("data-fig", "ready"), text(f["ready"])), text(" ready"))),
		figure("rate", "req/s"), figure("lost", "lost"), figure("p50", "p50"), figure("p99", "p99"),
		e("span.note.small", v.note()))
}

// link is where the Service is reached: a link, if that is a page.
func (v *serviceView) link() item {
	if v.Address == "" {
		return e("span.muted.small", text("headless"))
	}
	if v.Traffic.Protocol != "http" {
		return e("span.mono", text(v.Address))
	}
	return e("a.mono", at("href", "http://"+v.Address+"/"), at("rel", "noreferrer"), at("target", "_blank"), text(v.Address))
}

// note is what a person should know beside the figures.
func (v *serviceView) note() item {
	for _, g := range v.Workloads {
		if g.text == "" {
			continue
		}
		return list{
			e("span.wait", text(g.text)), when(g.waits != "", e("span.muted", text(" · "+g.waits))),
			e("progress.meter", at("max", strconv.Itoa(max(g.desired, 1))), at("value", strconv.Itoa(g.updated)), at("aria-label", g.text)),
		}
	}
	if n := v.ejected(); n > 0 {
		return e("span.warn", text(strconv.Itoa(n)+" of its endpoints refused a connection"))
	}
	if v.Traffic.Waiting > 0 {
		return e("span.warn", text("requests wait: no endpoint is ready"))
	}
	return nil
}

func (v *serviceView) ejected() (n int) {
	for _, endpoint := range v.Traffic.Endpoints {
		if endpoint.Ejected {
			n++
		}
	}
	return n
}

// servicesPage is /ui/services.
func (s *Server) servicesPage(w http.ResponseWriter, r *http.Request) {
	snap := s.snapshot()
	var cards list
	for _, v := range snap.services {
		if s.isCluster() {
			cards = append(cards, s.clusterCard(v))
		} else {
			cards = append(cards, v.card())
		}
	}
	main := list{e("h1.sr", text("Services"))}
	if len(snap.services) == 0 && s.isCluster() {
		main = append(main, e("div.card.empty", e("h2", text("No Services")), e("p", text(s.noneOf("services", "Service"))), e("p", e("a", at("href", "/ui/pods"), text("All Pods")))))
	} else if len(snap.services) == 0 {
		main = append(main, e("div.card.empty", e("h2", text("No Services")),
			e("p", text("A Service gives Pods one address. None of the manifests has one; Pods are reached by their own ports, which are on their pages.")),
			e("p", e("a", at("href", "/ui/pods"), text("All Pods")))))
	} else {
		main = append(main, e("div.stack", at("id", "live-services"), cards))
	}
	s.page(w, r, page{Tab: servicesTab, Title: "Services", Main: main, Scripts: []string{"services.js"}})
}

// card is a Service at length.
func (v *serviceView) card() item {
	var rows list
	for _, endpoint := range v.Traffic.Endpoints {
		rows = append(rows, endpointRow(endpoint))
	}
	also := ""
	if v.Also != "" {
		also = "also at " + v.Also
	}
	return e("section.card", at("aria-label", "Service "+v.Name),
		v.line(),
		e("div.pane",
			e("p.small.muted", text(strings.Join(notEmpty("port "+strings.TrimPrefix(v.ID[strings.LastIndexByte(v.ID, ':'):], ":")+" to "+v.Target, v.Traffic.Protocol, also,
				v.Service.Name+"."+v.Service.Namespace+".svc.cluster.local"), " · ")),
				when(v.Served, list{text(" · "), e("b", at("data-fig", "flight"), text(v.figures()["flight"])), text(" in flight, "), e("b", at("data-fig", "waiting"), text(v.figures()["waiting"])), text(" waiting")})),
			when(len(rows) > 0, e("div.scroll", at("tabindex", "0"), at("role", "region"), at("aria-label", "Endpoints of "+v.Name), e("table.plain",
				e("thead", e("tr", e("th", text("Pod")), e("th", text("Address")), e("th", text("State")), e("th.num", text("Requests")), e("th.num", text("In flight")), e("th.num", text("Failed")), e("th.num", text("Lost")))),
				e("tbody", rows)))),
			when(len(rows) == 0, e("p.muted", text("No endpoint: no Pod that it selects is ready."))),
		))
}

func notEmpty(texts ...string) []string {
	return slices.DeleteFunc(texts, func(t string) bool { return t == "" })
}

func endpointRow(endpoint proxy.EndpointState) item {
	state, mark := "ready", "ok"
	switch {
	case endpoint.Exited:
		state, mark = "exited", "idle"
	case endpoint.Withdrawn:
		state, mark = "is being stopped", "stop"
	case endpoint.Ejected:
		state, mark = "refused a connection", "bad"
	case !endpoint.Ready:
		state, mark = "not ready", "warn"
	}
	var failures uint64
	for _, n := range endpoint.Failures {
		failures += n
	}
	number := func(n uint64) item { return e("td.num", text(strconv.FormatUint(n, 10))) }
	return e("tr", e("td", e("a", at("href", podPath(endpoint.Pod.Namespace, endpoint.Pod.Name)), text(endpoint.Pod.Name))), e("td.mono", text(endpoint.Address)),
		e("td."+mark, text(state)), number(endpoint.Requests), number(uint64(endpoint.InFlight)), number(failures), number(endpoint.Lost))
}
