package browser

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/drill/archive"
	"github.com/probity-run/probity/internal/drill/drilltest"
	"github.com/probity-run/probity/internal/drill/render"
)

// drilled is a report of a drill of the manifest of a stage.
func (s *stage) drilled() *drill.Report {
	r := drilltest.Sample()
	r.Files, r.Began = []string{filepath.Join(s.dir, "deployment.yaml")}, noon.Add(-25*time.Minute)
	return r
}

// keepDrill keeps a report, as a drill does when it is over.
func (s *stage) keepDrill(r *drill.Report) {
	s.t.Helper()
	outcome, grade := render.Outcome(r)
	if err := s.archive.Keep(archive.Entry{Outcome: outcome, Grade: grade}, r); err != nil {
		s.t.Fatal(err)
	}
}

// underWay is a drill of which the first faults are done, and the next one is under way.
func (s *stage) underWay(done int) drill.State {
	s.t.Helper()
	r := s.drilled()
	state := drill.State{Report: r, Step: done, Repetition: 2, Doing: "deployment/calculator: fault (2 of 3)", Since: s.now()}
	for _, result := range r.Results[1:] { // but the baseline
		fault, err := drill.ParseFault(result.Fault)
		if err != nil {
			s.t.Fatal(err)
		}
		state.Steps = append(state.Steps, drill.Step{Fault: fault, Workload: result.Workload, Repetitions: 3})
	}
	r.Results = r.Results[:1+done]
	if done == len(state.Steps) {
		state.Doing = ""
	}
	return state
}

// TestDrillPages: the pages of drills in each width and theme, as TestPages has the others.
func TestDrillPages(t *testing.T) {
	s := newStage(t)
	s.keepDrill(s.drilled())
	s.drills.Watch(s.underWay(2))
	x := open(t, s.link())
	script := rulesOfAxe(t)
	kept := fmt.Sprintf("/ui/drills/%019d", s.drilled().Began.UnixNano())
	for name, path := range map[string]string{"drills": "/ui/drills", "drill": kept, "under-way": "/ui/drills/now"} {
		for _, width := range []int64{320, 1024, 1920} {
			x.do(chromedp.EmulateViewport(width, 900))
			x.goTo(path)
			x.live()
			for _, colours := range []string{"light", "dark"} {
				x.do(theme(colours))
				x.lookAt(fmt.Sprintf("%s, %d pixels, %s", name, width, colours), script)
				picture(x, fmt.Sprintf("drill-%s-%d-%s.png", name, width, colours))
			}
		}
	}
}

// TestDrillUnderWay: a page that is open shows how a drill gets on, and how it ends; the list does,
// too, and has what is kept later.
func TestDrillUnderWay(t *testing.T) {
	s := newStage(t)
	x := open(t, s.link())
	x.live()
	x.goTo("/ui/drills")
	x.live()
	x.until("it says how to begin", `document.querySelector("#drills .wire").textContent === "probity drill `+filepath.Join(s.dir, "deployment.yaml")+`"`)
	s.drills.Watch(s.underWay(0))
	x.until("the list has it", `document.querySelector("#drills td a")?.getAttribute("href") === "/ui/drills/now"`)
	x.goTo("/ui/drills/now")
	x.live()
	x.until("nothing is tried yet", `document.querySelector("h1").textContent === "0 of 3 faults tried" && document.querySelectorAll("#results section.card[id]").length === 1`)
	s.drills.Watch(s.underWay(2))
	x.until("two are", `document.querySelector("h1").textContent === "2 of 3 faults tried" && document.querySelectorAll("#results section.card[id]").length === 3`)
	x.until("what became of each is said", `[...document.querySelectorAll(".steps li > span:last-child")].map((n) => n.textContent.trim()).join() === "✕ late,! fleet emptied,now, 2 of 3"`)
	x.until("a failing one has its rule, line and patch", `["liveness-kill-too-slow", "app.yaml:58", "terminationGracePeriodSeconds: 3"].every((t) => document.getElementById("fault-2").textContent.includes(t))`)
	s.drills.Watch(s.underWay(3))
	x.until("it is over", `document.querySelector("h1").textContent === "1 of 3 faults not survived as they should be" && document.querySelectorAll("#results section.card[id]").length === 4`)
	x.goTo("/ui/drills")
	x.live()
	s.keepDrill(s.drilled()) // the one that is over: it is listed once
	earlier := s.drilled()
	earlier.Began = earlier.Began.Add(-time.Hour)
	s.keepDrill(earlier)
	x.until("what is kept is listed", `document.querySelectorAll("#drills tbody tr").length === 2`)
}

// TestDrillByKeyboard: from anywhere to a drill, and to one of its faults.
func TestDrillByKeyboard(t *testing.T) {
	s := newStage(t)
	s.keepDrill(s.drilled())
	x := open(t, s.link())
	x.live()
	x.key("g", "d")
	x.until("the drills are listed", `document.querySelector("table.drills")`)
	x.live()
	x.tabTo("the drill", `document.activeElement.matches("table.drills a")`)
	x.key(kb.Enter)
	x.until("it is shown", `document.getElementById("fault-2")`)
	x.live()
	x.tabTo("a fault", `document.activeElement.matches("table.faults a[href='#fault-2']")`)
	x.key(kb.Enter)
	x.until("it is in sight, below the head", `document.getElementById("fault-2").getBoundingClientRect().top >= document.querySelector("header.top").offsetHeight - 1`)
	x.tabTo("its timeline", `document.activeElement.getAttribute("aria-label") === "Timeline of hang"`)
}
