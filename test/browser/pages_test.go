package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// problem is what axe finds.
type problem struct {
	ID    string `json:"id"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// TestPages: every page in each width and theme has nothing that is wider than the window, nothing
// that is cut without a title, and nothing that axe knows to keep people out.
func TestPages(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 2)+deployment("broken", "hostile", 1)+deployment("late", "late", 1)+secret)
	x := open(t, s.link())
	x.until("Pods are ready", `[...document.querySelectorAll("li.pod .line span:first-child")].filter((n) => n.textContent === "Ready").length === 2`)
	script := rulesOfAxe(t)
	pod := eval[string](x, `document.querySelector("li.pod h3 a").getAttribute("href")`)
	log := eval[string](x, `document.querySelector("li.pod .do a").getAttribute("href")`)
	pages := map[string]string{"pods": "/ui/pods", "services": "/ui/services", "events": "/ui/events", "logs": "/ui/logs", "pod": pod, "log": log, "nothing": "/ui/pods?q=nothing", "missing": "/ui/nowhere",
		"health": "/ui/health", "form": healthPage, "new": "/ui/new", "simulate": "/ui/simulate", "drills": "/ui/drills"}
	for name, path := range pages {
		x.expect() // the one that is missing
		for _, width := range []int64{320, 360, 1024, 1600} {
			x.do(chromedp.EmulateViewport(width, 900))
			x.goTo(path)
			x.live()
			for _, colours := range []string{"light", "dark"} {
				x.do(theme(colours))
				x.lookAt(fmt.Sprintf("%s, %d pixels, %s", name, width, colours), script)
				picture(x, fmt.Sprintf("%s-%d-%s.png", name, width, colours))
			}
		}
	}
}

// rulesOfAxe is the script of axe; "" where it cannot be had, which is an error in CI alone.
func rulesOfAxe(t *testing.T) string {
	t.Helper()
	script, err := axe()
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	} else if err != nil {
		t.Logf("NOT TESTED: the rules of axe: %v", err)
	}
	return script
}

// lookAt checks what is shown: nothing is too wide, cut or covered, and axe finds nothing. where is
// what errors begin with, script that of axe; without, that is not asked.
func (x *tab) lookAt(where, script string) {
	x.t.Helper()
	if over := eval[int](x, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
		x.t.Errorf("%s: %d pixels too wide: %s", where, over, eval[string](x, tooWide))
	}
	if cut := eval[string](x, cutOff); cut != "" {
		x.t.Errorf("%s: cut without a title: %s", where, cut)
	}
	if boxes := eval[string](x, overlapping); boxes != "" {
		x.t.Errorf("%s: texts lie on each other: %s", where, boxes)
	}
	if script != "" {
		check(x, where, script)
	}
}

// tooWide names what reaches over the edge of the window and is not in something that scrolls.
const tooWide = `[...document.querySelectorAll("body *")].filter((n) => n.getBoundingClientRect().right > innerWidth + 1 && !n.parentElement.closest(".scroll, .wire, .log, .lines, .tabs")).map((n) => n.outerHTML.slice(0, 120)).slice(0, 5).join("\n")`

// cutOff names what hides a part of its text and has no title that tells all of it. What is only
// for screen readers is clipped as a whole.
const cutOff = `[...document.querySelectorAll("body *:not(.sr)")].filter((n) => ["hidden", "clip"].includes(getComputedStyle(n).overflowX) && n.scrollWidth > n.clientWidth + 1 && n.textContent.trim() && getComputedStyle(n).clipPath === "none" && !n.closest("[title], svg, select")).map((n) => n.outerHTML.slice(0, 200)).join("\n")`

// overlapping names texts that lie on each other. What is drawn over the page on purpose is closed
// here.
const overlapping = `(() => {
	const all = [], walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT), range = document.createRange();
	for (let n; (n = walk.nextNode());) {
		if (!n.data.trim() || n.parentElement.closest("svg, .sr, select, option, datalist, textarea, .gutter, .lines, .wire, .log, .scroll, details:not([open]) > :not(summary)") || !n.parentElement.checkVisibility()) continue;
		range.selectNodeContents(n);
		for (const r of range.getClientRects()) if (r.width > 1) all.push([n, r]);
	}
	const on = ([n, a], [m, b]) => n !== m && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5;
	return all.flatMap((a, i) => all.slice(i + 1).filter((b) => on(a, b)).map((b) => a[0].data + " / " + b[0].data)).slice(0, 5).join("\n");
})()`

// check lets axe look at a page.
func check(x *tab, where, script string) {
	x.t.Helper()
	if !eval[bool](x, `typeof axe === "object"`) {
		eval[bool](x, script+`;true`)
	}
	found := eval[string](x, `axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).then((r) => JSON.stringify(r.violations))`)
	var problems []problem
	if err := json.Unmarshal([]byte(found), &problems); err != nil {
		x.t.Fatal(err)
	}
	for _, p := range problems {
		for _, node := range p.Nodes[:min(len(p.Nodes), 3)] {
			x.t.Errorf("%s: %s: %.300s: %s", where, p.ID, node.HTML, node.Summary)
		}
	}
}

// picture keeps a picture of the page, if somebody wants to look at it.
func picture(x *tab, name string) {
	dir := os.Getenv("PROBITY_PICTURES")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(x.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), png, 0o644)
	}
	if err != nil {
		x.t.Error(err)
	}
}
