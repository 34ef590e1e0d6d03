package dashboard

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/dashboard/form"
	"github.com/probity-run/probity/internal/dashboard/shape"
	"github.com/probity-run/probity/internal/manifest"
)

// formView is the form of the health checks of something that runs, or shall run here.
type formView struct {
	form.Form
	server      *Server
	file        *draft.File // nil if there is none
	fileProblem error
}

// newFormView is the form of a draft; new says that its workload is not there yet.
func (s *Server) newFormView(d *draft.Draft, query url.Values, isNew bool) *formView {
	f := &formView{server: s}
	f.Form = form.Form{Draft: d, Probe: query.Get("probe"), Fault: query.Get("fault"), Width: widthOf(query.Get("w")), Others: s.others(d.Workload.Resource), IsNew: isNew,
		Now: "Now", Next: "Draft", Unchanged: "None yet: the fields are as it runs."}
	if isNew {
		f.Now, f.Next = "Without", "With probes"
		return f
	}
	o := d.Workload.Resource
	ref := workloadRef{o.GetObjectKind().GroupVersionKind().Kind, o.GetNamespace(), o.GetName()}
	f.More = e("a.in-text", at("href", "/ui/simulate?workload="+ref.path()), text("Other faults"))
	return f
}

// form is all of it; above are fields that stand above those of the probes.
func (f *formView) form(ref manifest.Ref, container string, above ...item) item {
	hidden := list{form.Hidden("kind", strings.ToLower(ref.Kind)), form.Hidden("namespace", ref.Namespace), form.Hidden("name", ref.Name), form.Hidden("container", container)}
	return f.Page(append(hidden, above...), f.buttons(), list{e("div", at("id", "file"), f.filePart()),
		e("div", at("id", "done"), at("role", "status"), at("aria-live", "polite"))})
}

// chip says how the draft stands.
func (f *formView) chip() item {
	if f.IsNew {
		return e("span.chip.wait", text("Not created yet"))
	}
	if f.Draft.Changed {
		return e("span.chip.wait", text("Draft, not applied"))
	}
	return e("span.chip", text("As it runs"))
}

// buttons stay; what they may do is in the answers.
func (f *formView) buttons() item {
	apply := "Apply and follow the rollout"
	if f.IsNew {
		apply = "Create and follow the rollout"
	}
	return e("div.pane", e("div.tools.flat",
		e("button.btn.main", at("type", "submit"), at("id", "apply"), at("aria-describedby", "why-not"), text(apply)),
		e("button.btn", at("type", "button"), at("id", "copy"), text("Copy YAML")),
		e("button.btn.quiet", at("type", "button"), at("id", "discard"), text("Discard")),
		e("button.btn", at("type", "button"), at("id", "undo"), at("hidden", ""), text("Undo")),
		e("span.small.state", at("id", "why-not"), f.whyNot())))
}

// whyNot is why the draft cannot be applied; nil if it can.
func (f *formView) whyNot() item {
	n := len(f.Errors())
	kind := f.Draft.Workload.Resource.GetObjectKind().GroupVersionKind().Kind
	switch {
	case n > 0:
		return e("span.bad.state", shape.Failed(), text("Fix "+plural(n, "error")+" to apply"))
	case f.IsNew && f.onlyImage() && !f.server.isCluster():
		return e("span.warn.state", at("data-may", ""), shape.Warning(), text("Without a command nothing starts here, unless the run was started with one for it; a cluster runs the image"))
	case f.IsNew:
		return nil
	case !f.Draft.Changed:
		return e("span.muted", at("data-unchanged", ""), text("Nothing to apply"))
	case kind == "Pod" && f.server.isCluster():
		return e("span.bad.state", shape.Failed(), text("The probes of a Pod cannot be changed: delete it, and create it anew with others"))
	case kind == "Pod":
		return e("span.warn.state", at("data-may", ""), shape.Warning(), text("The probes of a Pod cannot be changed: it is replaced, here or by its file"))
	}
	return nil
}

// filePart says what the file of the workload says otherwise, and offers to write it there.
func (f *formView) filePart() item {
	if f.file == nil || f.IsNew {
		return nil
	}
	values := f.Draft.Workload.Values()
	isPod := f.Draft.Workload.Resource.GetObjectKind().GroupVersionKind().Kind == "Pod"
	if isPod && len(f.Errors()) == 0 {
		values = f.Draft.Values
	}
	differs := f.file.Otherwise(values)
	if len(differs) == 0 {
		return nil
	}
	name := filepath.Base(f.file.Name)
	says := "still says"
	if isPod {
		says = "says"
	}
	return e("div.pane", e("p.small", text(name+" "+says+" "), e("b.mono", text(strings.Join(differs, ", ")))),
		e("p.buttons", e("button.btn", at("type", "button"), at("id", "write"), text("Write it there")), e("span.small.muted", text(" its comments stay"))))
}
