package dashboard

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/render"
	"github.com/probity-run/probity/internal/simulate/script"
)

// maxHorizon is the longest time that a page simulates; the command line has no such limit.
const maxHorizon = 24 * time.Hour

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
		q.fault = "hang@60s"
	}
	if q.horizon == "" {
		q.horizon = "3m"
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
	var workloads, faults list
	for _, path := range all {
		workloads = append(workloads, e("option", at("value", path), when(path == q.workload, at("selected", "")), text(path)))
	}
	for _, f := range script.ReadyMadeFaults() {
		for example := range strings.SplitSeq(f.Syntax, ", ") {
			faults = append(faults, e("option", at("value", example), text(f.Text)))
		}
	}
	return e("form.card.pane.simulate", at("action", "/ui/simulate"), at("method", "get"), e("div.fields",
		e("div.field", e("label", at("for", "workload"), text("Workload")), e("select", at("id", "workload"), at("name", "workload"), workloads), e("p.help", text("As it runs, with its Services."))),
		e("div.field", e("label", at("for", "fault"), text("Fault")), e("input.mono", at("id", "fault"), at("name", "fault"), at("value", q.fault), at("list", "faults"), at("aria-describedby", "fault-h"), at("autocomplete", "off")),
			e("datalist", at("id", "faults"), faults), e("p.help", at("id", "fault-h"), text("hang@60s, slow-start=90s, gc-stall=8s/1h …; empty: none."))),
		e("div.field", e("label", at("for", "horizon"), text("How long")), e("input", at("id", "horizon"), at("name", "horizon"), at("value", q.horizon), at("aria-describedby", "horizon-h")), e("p.help", at("id", "horizon-h"), text("90s, 10m or 2h; at most 24h."))),
		e("div.field", e("span.lab", text("\u00a0")), e("button.btn.main", at("type", "submit"), text("Simulate")))))
}

// simulated is the picture with the facts; or what is wrong.
func (s *Server) simulated(q simulateQuery) item {
	fail := func(said string) item { return e("div.pane", e("p.bad.state", shapeFailed(), text(said))) }
	parts := strings.SplitN(q.workload, "/", 3)
	if len(parts) != 3 {
		return fail("there is no such workload")
	}
	o := s.resource(parts[0], parts[1], parts[2])
	if o == nil {
		return fail("there is no such workload")
	}
	horizon, err := script.ParseDuration(q.horizon)
	switch {
	case err != nil:
		return fail("cannot use that time: " + err.Error())
	case horizon <= 0 || horizon > maxHorizon:
		return fail("the time has to be more than 0 and at most 24h")
	}
	sc := &script.Script{Programs: map[string]script.Program{}}
	if q.fault != "" {
		if err := sc.ParseFault(q.fault); err != nil {
			return fail(err.Error())
		}
	}
	objects := []manifest.Object{{Resource: o}}
	for _, service := range s.others(o) {
		objects = append(objects, manifest.Object{Resource: service})
	}
	options := simulate.Options{Horizon: horizon}
	var fewer item
	if n := replicasOf(o); n > maxSimulated {
		options.Replicas = maxSimulated
		fewer = e("li", text(fmt.Sprintf("%d of %d replicas are simulated here", maxSimulated, n)))
	}
	s.counting <- struct{}{} // one at a time: a day of many Pods takes seconds
	result, err := simulate.Run(objects, sc, options)
	<-s.counting
	if err != nil {
		return fail(err.Error())
	}
	shown, left := render.Picture(result.Timeline.Entries(), horizon, render.LaneOptions{Rotation: true, Services: true})
	whole := shown
	about := time.Minute
	shown.From, shown.To = fit(q.width, 0, horizon, about)
	facts := list{fewer}
	for _, line := range render.Facts(&result.Summary, requestRate) {
		facts = append(facts, e("li", text(line)))
	}
	return list{
		e("div.pane", e("ul.small.said", facts)),
		e("div.pane", picture(&shown, q.width, whole.Sentence("Simulation of "+q.workload+", first Pod")), when(left > 0, e("p.small.muted", text(plural(left, "more Pod")+" not drawn"))), pictureRows(&whole)),
		e("div.pane", s.simulateCommand(q, o)),
	}
}

// maxSimulated is how many Pods a page simulates.
const maxSimulated = 20

// requestRate is how many requests a second are imagined.
const requestRate = 100

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
