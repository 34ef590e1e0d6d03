package dashboard

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/dashboard/shape"
	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/printable"
)

// Drills are what is known of drills of the service that is shown. All of it is safe for concurrent
// use.
type Drills interface {
	// List are all of them: the one that is under way, then the newest first. With an error there
	// may be some, too: it says what of them cannot be read.
	List() ([]Drill, error)
	// Page is that of one of them. The error is an [fs.ErrNotExist] if there is none of that name.
	Page(name string) (DrillPage, error)
	// Mark is another one when List or a Page has something new. It is asked each second while a
	// browser is open.
	Mark() string
}

// Drill is one of a list of drills.
type Drill struct {
	// Name is its part of the address.
	Name string
	// Subject is what was drilled.
	Subject string
	Began   time.Time
	// Took is how long it was, so far if it is UnderWay.
	Took     time.Duration
	UnderWay bool
	// Outcome is what came of it, in a line, and Verdict a sign before that.
	Outcome string
	Verdict markup.Item
}

// DrillPage is what came of a drill.
type DrillPage struct {
	// Title is what came of it, in a line.
	Title string
	// Parts follow each other.
	Parts []DrillPart
}

// DrillPart is a part of the page of a drill, which pages that are open get anew when its Mark is
// another one.
type DrillPart struct {
	ID, Mark string
	Content  markup.Item
}

// IsOpen reports whether a browser shows a page.
func (s *Server) IsOpen() bool { return s.hub.isOpen() }

// drillsMark is the mark of what is known of drills; "" without.
func (s *Server) drillsMark() string {
	if s.opts.Drills == nil {
		return ""
	}
	return s.opts.Drills.Mark()
}

const drillsPath = "/ui/drills"

// drillsPage is /ui/drills: all drills that are known.
func (s *Server) drillsPage(w http.ResponseWriter, r *http.Request) {
	if s.opts.Drills == nil {
		s.notFound(w, r, "Nothing is known of drills here.")
		return
	}
	mark := s.drillsMark() // before, so that what comes in between is asked for again
	all, err := s.opts.Drills.List()
	var content list
	if err != nil {
		content = append(content, e("p.bad.state", shape.Failed(), text(err.Error())))
	}
	if len(all) > 0 {
		content = append(content, drillTable(all))
	} else {
		content = append(content, s.noDrills())
	}
	main := list{
		e("div.title", e("h1", text("Drills")), e("span.muted.small", text("the service broken on purpose, and what its probes made of it"))),
		drillPart(DrillPart{"drills", mark, e("div.stack", content)}),
	}
	s.page(w, r, page{Tab: drillsTab, Title: "Drills", Main: main, Scripts: []string{"drills.js"}})
}

// drillPart is an element that pages which are open get anew.
func drillPart(p DrillPart) item { return e("div", at("id", p.ID), at("data-mark", p.Mark), p.Content) }

func drillTable(all []Drill) item {
	var rows list
	for _, d := range all {
		took := text(diagnosis.Age(d.Took))
		began := e("time", at("datetime", stamp(d.Began)), text(d.Began.Local().Format(time.DateTime)))
		rows = append(rows, e("tr", e("td", e("a", at("href", drillsPath+"/"+d.Name), text(d.Outcome))), e("td", d.Verdict), e("td", text(d.Subject)), e("td.nowrap", began), e("td.nowrap", took, when(d.UnderWay, text(" so far")))))
	}
	head := list{}
	for _, name := range []string{"What came of it", "Verdicts", "Manifests", "Began", "Took"} {
		head = append(head, e("th", at("scope", "col"), text(name)))
	}
	return e("section.card.pane", at("aria-label", "Drills"), e("div.scroll", at("tabindex", "0"), at("role", "region"), at("aria-label", "List of drills"),
		e("table.plain.drills", e("thead", e("tr", head)), e("tbody", rows))))
}

// noDrills says how to make one.
func (s *Server) noDrills() item {
	var line strings.Builder
	line.WriteString("probity drill")
	for _, file := range s.opts.Files {
		line.WriteString(" " + printable.Shell(s.fromFolder(file)))
	}
	if len(s.opts.Files) == 0 {
		line.WriteString(" FILE")
	}
	return e("div.card.empty", e("h2", text("No drill yet")),
		e("p", text("A drill starts the service in a run of its own, or takes this one with --attach, sends it requests, breaks it, and judges what its probes make of that. The last ones are kept, and shown here.")),
		e("div.wire", e("pre", at("tabindex", "0"), at("role", "region"), at("aria-label", "Command line"), text(line.String()))))
}

// drillPage is /ui/drills/NAME.
func (s *Server) drillPage(w http.ResponseWriter, r *http.Request) {
	if s.opts.Drills == nil {
		s.notFound(w, r, "Nothing is known of drills here.")
		return
	}
	p, err := s.opts.Drills.Page(r.PathValue("name"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.notFound(w, r, "There is no such drill: the oldest ones go when others come.")
		return
	case err != nil:
		p = DrillPage{Title: "A drill that cannot be shown", Parts: []DrillPart{{Content: list{e("h1", text("This drill cannot be shown")), e("div.card.empty", e("p", text(err.Error())))}}}}
	}
	main := list{e("p.crumbs", e("a", at("href", drillsPath), text("Drills")), text(" /"))}
	for _, part := range p.Parts {
		main = append(main, drillPart(part))
	}
	s.page(w, r, page{Tab: drillsTab, Title: p.Title, Main: main, Scripts: []string{"drills.js"}})
}
