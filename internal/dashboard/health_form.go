package dashboard

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/manifest"
)

// formView is the form with what would happen. Its fields are made once and never replaced; what
// follows from them is, by the answers to drafts.
type formView struct {
	server      *Server
	draft       *draft.Draft
	probe       string // that is open
	fault       string
	width       int
	file        *draft.File // nil if there is none
	fileProblem error
	// isNew says that the workload is not there yet; service is its Service, nil for none, and
	// extra are the errors of its own fields.
	isNew   bool
	service *corev1.Service
	extra   []draft.Error
}

// form is all of it; above are fields that stand above those of the probes.
func (f *formView) form(ref manifest.Ref, container string, above ...item) item {
	hidden := func(name, value string) item {
		return e("input", at("type", "hidden"), at("name", name), at("value", value))
	}
	tag := "form.edit"
	if f.isNew {
		tag = "form.edit.edit-new"
	}
	return e(tag, at("id", "health"), at("autocomplete", "off"), at("novalidate", ""),
		hidden("kind", strings.ToLower(ref.Kind)), hidden("namespace", ref.Namespace), hidden("name", ref.Name), hidden("container", container), list(above),
		e("section.card.edit-fields", at("aria-label", "Probes"), f.fields()),
		e("div.stack.edit-what", e("section.card", at("aria-labelledby", "h-what"), f.whatHead(), e("div", at("id", "what"), f.what()), e("div", at("id", "many-box"))),
			e("section.card", at("aria-labelledby", "h-findings"), e("div", at("id", "findings"), f.findings()))),
		e("section.card.edit-changes", at("aria-labelledby", "h-changes"), e("div", at("id", "changes"), f.changes()), f.buttons(), e("div", at("id", "file"), f.filePart()),
			e("div", at("id", "done"), at("role", "status"), at("aria-live", "polite"))),
		e("div", at("id", "errors"), at("hidden", ""), f.errors()),
	)
}

// fields are the tabs of the three probes and, below, the fields of each.
func (f *formView) fields() item {
	var tabs, panels list
	for _, probe := range draft.Probes() {
		tabs = append(tabs, e("a", at("href", "?probe="+probe), at("data-probe", probe), when(probe == f.probe, at("aria-current", "true")), text(draft.Title(probe))))
		panels = append(panels, e("div", at("data-panel", probe), when(probe != f.probe, at("hidden", "")), f.panel(probe)))
	}
	return list{
		e("div.pane", e("div.tools.flat", e("div.seg", at("role", "group"), at("aria-label", "Probe"), tabs), e("span", at("id", "error-count"), f.errorCount()))),
		panels,
	}
}

// panel are the fields of a probe: what is asked, and the numbers.
func (f *formView) panel(probe string) item {
	v, handler := f.draft.Values, f.draft.Values.Handler(probe)
	choices := list{}
	for _, h := range append(draft.Handlers(), [2]string{"", "None"}) {
		choices = append(choices, e("label", e("input", at("type", "radio"), at("name", probe+".handler"), at("value", h[0]), when(h[0] == handler, at("checked", ""))), text(h[1])))
	}
	grace := strconv.FormatInt(f.draft.Workload.Grace(), 10)
	asks, numbers := list{}, list{}
	byHandler := map[string]list{}
	for _, p := range draft.Parameters(probe, grace) {
		if p.Handler == "" {
			numbers = append(numbers, f.field(probe, p, v))
		} else {
			byHandler[p.Handler] = append(byHandler[p.Handler], f.field(probe, p, v))
		}
	}
	for _, h := range draft.Handlers() {
		asks = append(asks, e("div.fields", at("data-handler", h[0]), when(h[0] != handler, at("hidden", "")), byHandler[h[0]]))
	}
	legend := "How the " + strings.ToLower(draft.Title(probe)) + " probe asks"
	return list{
		e("div.pane", e("p.small.muted.about", e("b", text(draft.Title(probe))), text(" "+draft.About(probe))),
			e("fieldset", e("legend.sr", text(legend)), e("div.radio", choices), f.slot(probe+".handler")), asks),
		e("div.pane", at("data-numbers", ""), when(handler == "", at("hidden", "")), e("div.fields", numbers)),
	}
}

// fieldID is the id of a field: names have dots, which style sheets and links take for something
// else.
func fieldID(name string) string { return "f-" + strings.ReplaceAll(name, ".", "-") }

// slot is where errors of a field are shown.
func (f *formView) slot(name string) item {
	return e("div", at("id", fieldID(name)+"-e"), at("data-error-of", name), f.errorsOf(name))
}

// field is a field with its label, help, unit, default and errors.
func (f *formView) field(probe string, p draft.Parameter, v draft.Values) item {
	name := probe + "." + p.Name
	return f.labelled(name, p, f.control(name, p, v[name]))
}

func (f *formView) labelled(name string, p draft.Parameter, control item) item {
	id := fieldID(name)
	if p.Unit != "" {
		control = e("span.unit", control, e("span", text(p.Unit)))
	}
	tag := "div.field"
	if p.Kind == draft.Lines || p.Kind == draft.Words {
		tag = "div.field.wide"
	}
	return e(tag, e("label", at("for", id), text(p.Label)), control, e("p.help", at("id", id+"-h"), text(p.Help)), f.slot(name))
}

func (f *formView) control(name string, p draft.Parameter, value string) item {
	id := fieldID(name)
	attributes := list{at("id", id), at("name", name), at("aria-describedby", id+"-h "+id+"-e"), when(f.hasError(name), at("aria-invalid", "true"))}
	switch p.Kind {
	case draft.Choice:
		var options list
		for _, c := range p.Choices {
			word, send := c, c
			if c == p.Default {
				word, send = c+" (default)", ""
			}
			options = append(options, e("option", at("value", send), when(value == send || value == c, at("selected", "")), text(word)))
		}
		return e("select", attributes, options)
	case draft.Lines:
		return e("textarea.mono", attributes, at("rows", "2"), text(value))
	case draft.Number:
		return e("input", attributes, at("value", value), at("placeholder", p.Default), at("inputmode", "numeric"))
	case draft.Port:
		return list{e("input.mono", attributes, at("value", value), at("list", id+"-ports")), e("datalist", at("id", id+"-ports"), f.ports())}
	}
	return e("input.mono", attributes, at("value", value), at("placeholder", p.Default))
}

// ports are the declared ports of the container.
func (f *formView) ports() (options list) {
	c, _ := f.draft.Workload.Spec()
	if c == nil {
		return nil
	}
	for _, p := range c.Ports {
		name := p.Name
		if name == "" {
			name = strconv.Itoa(int(p.ContainerPort))
		}
		options = append(options, e("option", at("value", name), text(strconv.Itoa(int(p.ContainerPort)))))
	}
	return options
}

// all are the errors of the draft, and those of what is new.
func (f *formView) all() []draft.Error { return slices.Concat(f.extra, f.draft.Errors) }

func (f *formView) hasError(name string) bool {
	return slices.ContainsFunc(f.all(), func(x draft.Error) bool { return x.Field == name })
}

func (f *formView) errorsOf(name string) (found list) {
	for _, x := range f.all() {
		if x.Field == name {
			found = append(found, errorLine(x.Text))
		}
	}
	return found
}

// errorLine is an error that may be broken after the dots of its path.
func errorLine(said string) item {
	path, rest, ok := strings.Cut(said, ": ")
	words := list{}
	if ok {
		for i, step := range strings.SplitAfter(path, ".") {
			if i > 0 {
				words = append(words, e("wbr"))
			}
			words = append(words, text(step))
		}
		rest = ": " + rest
	} else {
		rest = said
	}
	return e("span.err", shapeFailed(), e("span", words, text(rest)))
}

// errors are all errors by field, for the script that puts them there.
func (f *formView) errors() (all list) {
	for _, x := range f.all() {
		all = append(all, e("div", at("data-field", x.Field), errorLine(x.Text)))
	}
	return all
}

func (f *formView) errorCount() item {
	n := len(f.all())
	if n == 0 {
		return nil
	}
	return e("span.chip.bad", shapeFailed(), text(plural(n, "error")))
}

// chip says how the draft stands.
func (f *formView) chip() item {
	if f.isNew {
		return e("span.chip.wait", text("Not created yet"))
	}
	if f.draft.Changed {
		return e("span.chip.wait", text("Draft, not applied"))
	}
	return e("span.chip", text("As it runs"))
}
