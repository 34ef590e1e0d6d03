// Package pages is what a dashboard shows of drills: those that are kept of its manifests, and the
// one that is under way in its run. What the pages have is made by package render.
package pages

import (
	"fmt"
	"io/fs"
	"strconv"
	"sync"
	"time"

	"github.com/probity-run/probity/internal/dashboard"
	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/drill/archive"
	"github.com/probity-run/probity/internal/drill/render"
)

// Drills is a [dashboard.Drills]. Make it with [New]. It is safe for concurrent use.
type Drills struct {
	archive   archive.Archive
	manifests []string

	mu    sync.Mutex   // guards what follows
	state *drill.State // nil: no drill is under way
	told  int          // how often it was told
}

var _ dashboard.Drills = (*Drills)(nil)

// New makes what a dashboard of these manifests shows.
func New(a archive.Archive, manifests []string) *Drills {
	return &Drills{archive: a, manifests: archive.Paths(manifests)}
}

// Watch takes how far the drill is which is under way, as [drill.Options.Watch].
func (d *Drills) Watch(s drill.State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state, d.told = &s, d.told+1
}

// now is the drill that is under way, or was in this run; nil if there is none.
func (d *Drills) now() (*drill.State, int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state, d.told
}

// nowName is the name of the drill of this run. Those of others are numbers.
const nowName = "now"

// List implements [dashboard.Drills].
func (d *Drills) List() (all []dashboard.Drill, err error) {
	s, _ := d.now()
	if s != nil {
		outcome, grade := render.Outcome(s.Report)
		one := dashboard.Drill{Name: nowName, Subject: render.Subject(s.Report), Began: s.Report.Began, Took: time.Duration(s.Report.Took), Outcome: outcome, Verdict: render.Verdict(grade)}
		if s.Doing != "" {
			one.UnderWay, one.Outcome, one.Verdict = true, "Under way: "+s.Doing, render.UnderWay()
		}
		all = append(all, one)
	}
	kept, err := d.archive.List()
	for _, e := range kept {
		if isNow := s != nil && s.Doing == "" && e.Began.Equal(s.Report.Began); e.IsOf(d.manifests) && !isNow {
			all = append(all, dashboard.Drill{Name: e.Name, Subject: names(e.Files), Began: e.Began, Took: time.Duration(e.Took), Outcome: e.Outcome, Verdict: render.Verdict(e.Grade)})
		}
	}
	return all, err
}

func names(files []string) string { return render.Subject(&drill.Report{Files: files}) }

// Page implements [dashboard.Drills].
func (d *Drills) Page(name string) (dashboard.DrillPage, error) {
	s, told := d.now()
	if name != nowName {
		r, err := d.archive.Read(name)
		if err != nil {
			return dashboard.DrillPage{}, err
		}
		return whole(r, ""), nil
	}
	if s == nil {
		return dashboard.DrillPage{}, fs.ErrNotExist
	}
	if s.Doing == "" {
		return whole(s.Report, "over"), nil
	}
	title := fmt.Sprintf("Drill under way: %d of %d", max(s.Step, 0), len(s.Steps))
	return dashboard.DrillPage{Title: title, Parts: []dashboard.DrillPart{
		{ID: headID, Mark: strconv.Itoa(told), Content: render.Progress(*s)},
		{ID: resultsID, Mark: strconv.Itoa(len(s.Report.Results)), Content: render.Content(s.Report)},
	}}, nil
}

// The parts of the page of a drill.
const (
	headID    = "drill"
	resultsID = "results"
)

// whole is the page of a drill that is over.
func whole(r *drill.Report, mark string) dashboard.DrillPage {
	outcome, _ := render.Outcome(r)
	return dashboard.DrillPage{Title: outcome, Parts: []dashboard.DrillPart{
		{ID: headID, Mark: mark, Content: render.Heading(r)}, {ID: resultsID, Mark: mark, Content: render.Content(r)},
	}}
}

// Mark implements [dashboard.Drills].
func (d *Drills) Mark() string {
	_, told := d.now()
	kept, _ := d.archive.Names() // why they cannot be read, the list says
	newest := ""
	if len(kept) > 0 {
		newest = kept[0]
	}
	return strconv.Itoa(told) + "." + newest
}
