package dashboard

import (
	"cmp"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// clusterCard is a Service of a cluster at length: its endpoints, and that nobody counts requests.
func (s *Server) clusterCard(v *serviceView) item {
	var rows list
	for _, endpoint := range v.Endpoints {
		rows = append(rows, v.clusterEndpoint(endpoint))
	}
	none := "No endpoint: no Pod that it selects is ready."
	if !s.sees("endpointslices") {
		none = "EndpointSlices may not be read: which Pods are behind it is not known."
	}
	return e("section.card", at("aria-label", "Service "+v.Name),
		v.line(),
		e("div.pane",
			e("p.small.muted", text(strings.Join(notEmpty("port "+v.ID[strings.LastIndexByte(v.ID, ':')+1:]+" to "+v.Target, v.Service.Name+"."+v.Service.Namespace+".svc", "a cluster reports no requests, losses or latencies"), " · "))),
			when(len(rows) > 0, e("div.scroll", at("tabindex", "0"), at("role", "region"), at("aria-label", "Endpoints of "+v.Name), e("table.plain",
				e("thead", e("tr", e("th", text("Pod")), e("th", text("Address")), e("th", text("State")), e("th", text("Node")))), e("tbody", rows)))),
			when(len(rows) == 0, e("p.muted", text(none))),
		))
}

func (v *serviceView) clusterEndpoint(endpoint discoveryv1.Endpoint) item {
	state, mark := "ready", "ok"
	is := func(b *bool) bool { return b != nil && *b }
	switch conditions := endpoint.Conditions; {
	case is(conditions.Terminating) && is(conditions.Serving):
		state, mark = "is being stopped, and serves", "stop"
	case is(conditions.Terminating):
		state, mark = "is being stopped", "stop"
	case conditions.Ready != nil && !*conditions.Ready:
		state, mark = "not ready", "warn"
	}
	name := item(text("–"))
	if target := endpoint.TargetRef; target != nil && target.Kind == "Pod" {
		name = e("a", at("href", podPath(cmp.Or(target.Namespace, v.Service.Namespace), target.Name)), text(target.Name))
	}
	node := "–"
	if endpoint.NodeName != nil {
		node = *endpoint.NodeName
	}
	return e("tr", e("td", name), e("td.mono", text(strings.Join(endpoint.Addresses, ", "))), e("td."+mark, text(state)), e("td", text(node)))
}
