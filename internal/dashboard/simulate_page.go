package dashboard

import (
	"net/http"
	"strings"

	"github.com/probity-run/probity/internal/dashboard/form"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// simulateQuery is what is simulated. All of it is in the address.
type simulateQuery struct {
	workload, fault, horizon string
	width                    int
}

// simulatePage is /ui/simulate.
func (s *Server) simulatePage(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	q := simulateQuery{workload: values.Get("workload"), fault: strings.TrimSpace(values.Get("fault")), horizon: strings.TrimSpace(values.Get("horizon")), width: widthOf(values.Get("w"))}
	var all []string
	for _, o := range s.resources() {
		all = append(all, workloadRef{kindOf(o).Kind, o.GetNamespace(), o.GetName()}.path())
	}
	if q.workload == "" && len(all) > 0 {
		q.workload = all[0]
	}
	if q.fault == "" && !values.Has("fault") {
		q.fault = form.DefaultFault
	}
	if q.horizon == "" {
		q.horizon = form.DefaultHorizon
	}
	main := list{e("div.title", e("h1", text("Simulate")), e("span.muted.small", text("in virtual time, by the kubelet's rules; nothing is started or changed")))}
	if len(all) == 0 {
		main = append(main, e("div.card.empty", e("h2", text("Nothing to simulate")), e("p", text("There is no workload yet.")), e("p", e("a.btn", at("href", "/ui/new"), text("New service")))))
	} else {
		main = append(main, s.simulateForm(q, all), e("section.card", at("id", "picture"), at("aria-label", "Simulation"), s.simulated(q)))
	}
	s.page(w, r, page{Tab: simulateTab, Title: "Simulate", Main: main, Scripts: []string{"simulate.js"}})
}

func (s *Server) simulateForm(q simulateQuery, all []string) item {
	var workloads list
	for _, path := range all {
		workloads = append(workloads, e("option", at("value", path), when(path == q.workload, at("selected", "")), text(path)))
	}
	return e("form.card.pane.simulate", at("action", "/ui/simulate"), at("method", "get"), e("div.fields",
		e("div.field", e("label", at("for", "workload"), text("Workload")), e("select", at("id", "workload"), at("name", "workload"), workloads), e("p.help", text("As it runs, with its Services."))),
		form.SimulationFields(q.fault, q.horizon),
		e("div.field", e("span.lab", text("\u00a0")), e("button.btn.main", at("type", "submit"), text("Simulate")))))
}

// simulated is the picture with the facts; or what is wrong.
func (s *Server) simulated(q simulateQuery) item {
	const missing = "there is no such workload"
	parts := strings.SplitN(q.workload, "/", 3)
	if len(parts) != 3 {
		return form.Problem(missing)
	}
	o := s.resource(parts[0], parts[1], parts[2])
	if o == nil {
		return form.Problem(missing)
	}
	simulation := form.Simulation{Subject: q.workload, Workload: o, Others: s.others(o), Fault: q.fault, Horizon: q.horizon, Width: q.width}
	s.counting <- struct{}{} // one at a time: a day of many Pods takes seconds
	shown, err := simulation.Play()
	<-s.counting
	if err != nil {
		return form.Problem(err.Error())
	}
	return list{shown, e("div.pane", s.simulateCommand(q, o))}
}

// simulateCommand is what to type for the same in a terminal.
func (s *Server) simulateCommand(q simulateQuery, o manifest.Resource) item {
	file := s.fromFolder(o.GetAnnotations()[manifest.AnnotationManifest])
	switch {
	case file == "":
		file = "FILE"
	case strings.HasPrefix(file, "-"):
		file = "./" + file
	}
	line := "probity simulate " + printable.Shell(file)
	if q.fault != "" {
		ref := manifest.Object{Resource: o}.Ref()
		line += " --fault " + printable.Shell(q.fault+",workload="+strings.ToLower(ref.Kind)+"/"+ref.Name)
	}
	line += " --horizon " + printable.Shell(q.horizon)
	return list{
		e("p.small.muted", text("The same in a terminal, with what is in the file:")),
		e("div.wire", e("pre", at("id", "command"), at("tabindex", "0"), at("role", "region"), at("aria-label", "Command line"), text(line))),
		e("p.buttons", e("button.btn", at("type", "button"), at("id", "copy-command"), at("hidden", ""), text("Copy"))),
	}
}
