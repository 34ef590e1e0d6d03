package form

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/dashboard/shape"
	"github.com/probity-run/probity/internal/manifest"
)

// Form is the form of the health checks of one container, with what would follow from what is
// typed. Its fields are made once and never replaced; what follows from them is, by the answers to
// drafts.
type Form struct {
	Draft *draft.Draft
	// Probe is the one whose fields are open, Fault the ID of what happens to the container.
	Probe, Fault string
	// Width is how wide pictures may be, in pixels.
	Width int
	// Others are objects that belong to the workload when it is judged, such as its Services.
	Others []manifest.Resource
	// Now and Next name the two sides that are compared; Unchanged says that they are the same.
	Now, Next, Unchanged string
	// More stands behind how it was simulated; it may be nil.
	More item
	// IsNew says that the workload is not there yet; Service is its Service, nil for none, and
	// Extra are the errors of its own fields.
	IsNew   bool
	Service *corev1.Service
	Extra   []draft.Error
}

// Page is all of it: above are fields that stand above those of the probes, buttons stand below the
// changes, and below them is what becomes of them.
func (f *Form) Page(above, buttons, below item) item {
	tag := "form.edit"
	if f.IsNew {
		tag = "form.edit.edit-new"
	}
	return e(tag, at("id", "health"), at("autocomplete", "off"), at("novalidate", ""), above,
		e("section.card.edit-fields", at("aria-label", "Probes"), f.Fields()),
		e("div.stack.edit-what", e("section.card", at("aria-labelledby", "h-what"), f.whatHead(), e("div", at("id", "what"), f.What()), e("div", at("id", "many-box"))),
			e("section.card", at("aria-labelledby", "h-findings"), e("div", at("id", "findings"), f.Findings()))),
		e("section.card.edit-changes", at("aria-labelledby", "h-changes"), e("div", at("id", "changes"), f.Changes()), buttons, below),
		e("div", at("id", "errors"), at("hidden", ""), f.ErrorParts()),
	)
}

// Hidden is a field that people do not see.
func Hidden(name, value string) item {
	return e("input", at("type", "hidden"), at("name", name), at("value", value))
}

// Parts are what follows from a draft, each with the id of what it takes the place of.
func (f *Form) Parts() []item {
	part := func(id string, content item) item { return e("div", at("id", id), content) }
	return []item{part("error-count", f.ErrorCount()), part("errors", f.ErrorParts()), part("what", f.What()), part("findings", f.Findings()), part("changes", f.Changes())}
}

// Fields are the tabs of the three probes and, below, the fields of each.
func (f *Form) Fields() item {
	var tabs, panels list
	for _, probe := range draft.Probes() {
		tabs = append(tabs, e("a", at("href", "?probe="+probe), at("data-probe", probe), when(probe == f.Probe, at("aria-current", "true")), text(draft.Title(probe))))
		panels = append(panels, e("div", at("data-panel", probe), when(probe != f.Probe, at("hidden", "")), f.panel(probe)))
	}
	return list{
		e("div.pane", e("div.tools.flat", e("div.seg", at("role", "group"), at("aria-label", "Probe"), tabs), e("span", at("id", "error-count"), f.ErrorCount()))),
		panels,
	}
}

// panel are the fields of a probe: what is asked, and the numbers.
func (f *Form) panel(probe string) item {
	v, handler := f.Draft.Values, f.Draft.Values.Handler(probe)
	choices := list{}
	for _, h := range append(draft.Handlers(), [2]string{"", "None"}) {
		choices = append(choices, e("label", e("input", at("type", "radio"), at("name", probe+".handler"), at("value", h[0]), when(h[0] == handler, at("checked", ""))), text(h[1])))
	}
	grace := strconv.FormatInt(f.Draft.Workload.Grace(), 10)
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
func (f *Form) slot(name string) item {
	return e("div", at("id", fieldID(name)+"-e"), at("data-error-of", name), f.errorsOf(name))
}

// field is a field with its label, help, unit, default and errors.
func (f *Form) field(probe string, p draft.Parameter, v draft.Values) item {
	name := probe + "." + p.Name
	return f.Labelled(name, p, f.Control(name, p, v[name]))
}

// Labelled is a control with its label, help, unit and errors.
func (f *Form) Labelled(name string, p draft.Parameter, control item) item {
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

// Control is where the value of a parameter is typed.
func (f *Form) Control(name string, p draft.Parameter, value string) item {
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
func (f *Form) ports() (options list) {
	c, _ := f.Draft.Workload.Spec()
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

// Errors are the errors of the draft, and those of what is new.
func (f *Form) Errors() []draft.Error { return slices.Concat(f.Extra, f.Draft.Errors) }

func (f *Form) hasError(name string) bool {
	return slices.ContainsFunc(f.Errors(), func(x draft.Error) bool { return x.Field == name })
}

func (f *Form) errorsOf(name string) (found list) {
	for _, x := range f.Errors() {
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
	return e("span.err", shape.Failed(), e("span", words, text(rest)))
}

// ErrorParts are all errors by field, for the script that puts them there.
func (f *Form) ErrorParts() (all list) {
	for _, x := range f.Errors() {
		all = append(all, e("div", at("data-field", x.Field), errorLine(x.Text)))
	}
	return all
}

// ErrorCount is how many errors there are; nil for none.
func (f *Form) ErrorCount() item {
	n := len(f.Errors())
	if n == 0 {
		return nil
	}
	return e("span.chip.bad", shape.Failed(), text(plural(n, "error")))
}

// plural is a number of things.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
