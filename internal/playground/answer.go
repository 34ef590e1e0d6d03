package playground

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/dashboard/form"
	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/dashboard/shape"
	"github.com/probity-run/probity/internal/manifest"
)

// question is what the page asks about a text, by the fields of its forms.
type question struct {
	url.Values
	text string
}

// Answer answers a question, which is encoded as a form is. Its field ask says what is wanted:
//
//	start     the fields of a simulation
//	check     what is found in the text
//	read      the workloads of the text, and the form for one
//	draft     what would follow from the fields of the health checks
//	many      the one fact about them that takes long
//	write     the text with these health checks in it
//	simulate  a fault, played
//
// The answer is a document; each part of it has the id of what it takes the place of. The error
// says that there is no such question.
func Answer(encoded string) ([]byte, error) {
	values, err := url.ParseQuery(encoded)
	if err != nil {
		return nil, fmt.Errorf("cannot read the question: %w", err)
	}
	q := question{Values: values, text: normal(values.Get("text"))}
	answers := map[string]func() list{"start": q.start, "check": q.check, "read": q.read, "draft": q.draft, "many": q.many, "write": q.write, "simulate": q.simulate}
	answer, ok := answers[q.Get("ask")]
	if !ok {
		return nil, fmt.Errorf("there is no question %q", q.Get("ask"))
	}
	return markup.Page(e("html", e("head", e("title", text("Parts"))), e("body", answer()))), nil
}

// normal is a text with the line ends that everything here counts by: forms send others.
func normal(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// part is a part of an answer.
func part(id string, content item) item { return e("div", at("id", id), content) }

// width is how wide pictures may be.
func (q question) width() int {
	n, err := strconv.Atoi(q.Get("w"))
	if err != nil {
		return 640
	}
	return min(max(n, 240), 2000)
}

// start answers with what the page has from the beginning to the end.
func (q question) start() list {
	return list{part("simulate", e("div.fields", form.SimulationFields(form.DefaultFault, form.DefaultHorizon),
		e("div.field", e("span.lab", text("\u00a0")), e("button.btn.main", at("type", "submit"), text("Simulate")))))}
}

// read answers with the workloads of the text, and the health checks of one.
func (q question) read() list {
	m := Read(q.text)
	o, ok := m.workload(q.Get("workload"))
	if !ok {
		none := e("div.card.empty", e("h2", text("No workload yet")), e("p", text("Here stand the health checks of a Deployment, StatefulSet, DaemonSet, ReplicaSet or Pod that is free of errors.")))
		return list{part("health-checks", none), part("workloads", nil)}
	}
	return list{part("workloads", choice(m, o)), part("health-checks", q.checks(m, o))}
}

// choice are the workloads of the text, as options.
func choice(m Manifests, chosen manifest.Object) (options list) {
	for _, o := range m.workloads() {
		path := pathOf(o)
		options = append(options, e("option", at("value", path), when(path == pathOf(chosen), at("selected", "")), text(o.Ref().String())))
	}
	return options
}

// simulate answers with a fault that was played.
func (q question) simulate() list {
	m := Read(q.text)
	o, ok := m.workload(q.Get("workload"))
	if !ok {
		return list{part("picture", form.Problem("there is no workload to simulate"))}
	}
	return list{part("picture", q.picture(m, o))}
}

func (q question) picture(m Manifests, o manifest.Object) item {
	simulation := form.Simulation{
		Subject: pathOf(o), Workload: o.Resource, Others: m.others(o),
		Fault: strings.TrimSpace(q.Get("simulated-fault")), Horizon: strings.TrimSpace(q.Get("horizon")), Width: q.width(),
	}
	shown, err := simulation.Play()
	if err != nil {
		return form.Problem(err.Error())
	}
	return shown
}

// values are the fields of the probes.
func (q question) values() draft.Values {
	values := draft.Values{}
	for name := range q.Values {
		if probe, _, ok := strings.Cut(name, "."); ok && slices.Contains(draft.Probes(), probe) {
			values[name] = normal(q.Get(name))
		}
	}
	return values
}

// view is the form of a draft.
func (q question) view(m Manifests, o manifest.Object, d *draft.Draft) *form.Form {
	f := &form.Form{
		Draft: d, Probe: q.Get("probe"), Fault: q.Get("fault"), Width: q.width(), Others: m.others(o),
		Now: "As written", Next: "Draft", Unchanged: "None yet: the fields are as written.",
	}
	if !slices.Contains(draft.Probes(), f.Probe) {
		f.Probe = draft.Liveness
	}
	return f
}

// checks is the form of the health checks of a workload as it is written.
func (q question) checks(m Manifests, o manifest.Object) item {
	load := draftOf(o, q.Get("container"))
	d, err := load.New(load.Values())
	if err != nil {
		return form.Problem(err.Error())
	}
	f := q.view(m, o, d)
	c, _ := load.Spec()
	var containers list
	for _, name := range load.Containers() {
		containers = append(containers, e("option", at("value", name), when(name == c.Name, at("selected", "")), text(name)))
	}
	return list{
		e("div.title", e("h2", text("Health checks of "+o.Ref().Name)), e("span", at("id", "chip"), chip(d)),
			e("label.small.muted", at("for", "container"), text("container")), e("select", at("id", "container"), containers)),
		f.Page(form.Hidden("workload", pathOf(o)), buttons(f), e("div", at("id", "done"), at("role", "status"), at("aria-live", "polite"))),
	}
}

func chip(d *draft.Draft) item {
	if d.Changed {
		return e("span.chip.wait", text("Draft, not written"))
	}
	return e("span.chip", text("As written"))
}

// buttons stay; what they may do is in the answers.
func buttons(f *form.Form) item {
	return e("div.pane", e("div.tools.flat",
		e("button.btn.main", at("type", "submit"), at("id", "apply"), at("aria-describedby", "why-not"), text("Write it into the manifest")),
		e("button.btn", at("type", "button"), at("id", "copy"), text("Copy YAML")),
		e("button.btn.quiet", at("type", "button"), at("id", "discard"), text("Discard")),
		e("span.small.state", at("id", "why-not"), whyNot(f))))
}

// whyNot is why the draft cannot be written; nil if it can.
func whyNot(f *form.Form) item {
	switch n := len(f.Errors()); {
	case n == 1:
		return e("span.bad.state", shape.Failed(), text("Fix 1 error to write it"))
	case n > 1:
		return e("span.bad.state", shape.Failed(), text("Fix "+strconv.Itoa(n)+" errors to write it"))
	case !f.Draft.Changed:
		return e("span.muted", at("data-unchanged", ""), text("Nothing to write"))
	}
	return nil
}

// typed is the draft of what was typed, in the workload that the question is about.
func (q question) typed() (*form.Form, error) {
	m := Read(q.text)
	o, ok := m.workload(q.Get("workload"))
	if !ok {
		return nil, fmt.Errorf("the workload %s is not in the manifest any more", q.Get("workload"))
	}
	d, err := draftOf(o, q.Get("container")).New(q.values())
	if err != nil {
		return nil, err
	}
	return q.view(m, o, d), nil
}

// draft answers with what would follow from what was typed.
func (q question) draft() list {
	f, err := q.typed()
	if err != nil {
		return list{part("done", form.Problem(err.Error()))}
	}
	return append(f.Parts(), part("chip", chip(f.Draft)), part("why-not", whyNot(f)))
}

// many answers with a row of the facts.
func (q question) many() list {
	f, err := q.typed()
	if err != nil {
		return nil
	}
	fact, err := f.Draft.Many(f.Draft.Workload.Replicas())
	if err != nil {
		return nil
	}
	return list{e("table", e("tbody", form.FactRow(fact)))}
}

// write answers with the text, changed.
func (q question) write() list {
	f, err := q.typed()
	if err == nil && len(f.Draft.Errors) > 0 {
		err = fmt.Errorf("the draft has errors: %s", f.Draft.Errors[0].Text)
	}
	var written []byte
	if err == nil {
		written, err = rewrite(f.Draft, q.text)
	}
	if err != nil {
		return list{part("done", form.Problem(err.Error()))}
	}
	return list{part("done", e("div.pane", e("p.small.ok.state", shape.Ready(), text("Written into the manifest; its comments stay.")))), e("pre", at("id", "written"), text(written))}
}

// rewrite is a text with the values of a draft in it; all else of it stays.
func rewrite(d *draft.Draft, text string) ([]byte, error) {
	file, err := d.Workload.Open("the manifest", []byte(text))
	if err != nil {
		return nil, fmt.Errorf("cannot write the health checks: %w", err)
	}
	return file.Write(d.Values)
}
