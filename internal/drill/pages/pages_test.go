package pages

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/dashboard"
	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/drill/archive"
	"github.com/probity-run/probity/internal/drill/drilltest"
)

func newDrills(t *testing.T) *Drills {
	t.Helper()
	dir := t.TempDir()
	open := func() (*os.Root, error) { return os.OpenRoot(dir) }
	return New(archive.Archive{Open: open, Make: open}, []string{"app.yaml"})
}

func textOf(p dashboard.DrillPage) string {
	var b strings.Builder
	for _, part := range p.Parts {
		b.Write(markup.Part(part.Content))
	}
	return b.String()
}

// TestOnlyOwnDrills: those of the manifests of the run are listed, the one under way first.
func TestOnlyOwnDrills(t *testing.T) {
	d := newDrills(t)
	for i, file := range []string{"app.yaml", "other.yaml"} {
		r := drilltest.Sample()
		r.Files, r.Began = []string{file}, r.Began.AddDate(0, 0, i)
		if err := d.archive.Keep(archive.Entry{Outcome: "of " + file}, r); err != nil {
			t.Fatal(err)
		}
	}
	all, err := d.List()
	if err != nil || len(all) != 1 || all[0].Outcome != "of app.yaml" || all[0].Subject != "app.yaml" {
		t.Fatalf("List = %+v, %v", all, err)
	}
	p, err := d.Page(all[0].Name)
	if err != nil || !strings.Contains(textOf(p), "1 of 3 faults not survived") {
		t.Errorf("Page = %q, %v", p.Title, err)
	}
	d.Watch(drill.State{Report: drilltest.Sample(), Doing: "starting", Step: -1})
	if all, err = d.List(); err != nil || len(all) != 2 || all[0].Name != nowName || !all[0].UnderWay {
		t.Errorf("List = %+v, %v", all, err)
	}
}

// TestMarks: pages hear of each step, and of what another process has kept.
func TestMarks(t *testing.T) {
	d := newDrills(t)
	if _, err := d.Page(nowName); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the page of no drill: %v", err)
	}
	seen := map[string]bool{d.Mark(): true}
	steps := []func(){
		func() { d.Watch(drill.State{Report: drilltest.Sample(), Doing: "starting", Step: -1}) },
		func() { d.Watch(drill.State{Report: drilltest.Sample()}) },
		func() {
			r := drilltest.Sample()
			r.Files = []string{"app.yaml"}
			if err := d.archive.Keep(archive.Entry{}, r); err != nil {
				t.Fatal(err)
			}
		},
	}
	for i, step := range steps {
		if step(); seen[d.Mark()] {
			t.Errorf("step %d: the mark %s was seen before", i, d.Mark())
		}
		seen[d.Mark()] = true
	}
	p, err := d.Page(nowName)
	if err != nil || p.Title != "1 of 3 faults not survived as they should be" {
		t.Errorf("the page of the drill that is over: %q, %v", p.Title, err)
	}
}

// TestListedOnce: a drill that is over is not listed a second time as one that is kept.
func TestListedOnce(t *testing.T) {
	d := newDrills(t)
	r := drilltest.Sample()
	r.Files = []string{"app.yaml"}
	d.Watch(drill.State{Report: r})
	if err := d.archive.Keep(archive.Entry{}, r); err != nil {
		t.Fatal(err)
	}
	if all, err := d.List(); err != nil || len(all) != 1 || all[0].Name != nowName {
		t.Errorf("List = %+v, %v", all, err)
	}
	next := *r
	next.Began = r.Began.AddDate(0, 0, 1)
	d.Watch(drill.State{Report: &next, Doing: "starting", Step: -1})
	if all, err := d.List(); err != nil || len(all) != 2 {
		t.Errorf("List = %+v, %v", all, err)
	}
}
