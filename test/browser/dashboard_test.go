package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// deployment is a Deployment of the service of these tests, and a Service in front of it.
func deployment(name, mode string, replicas int) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  replicas: %[3]d
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: app
        image: none
        command: [PROGRAM]
        env:
        - {name: PROBITY_TEST_SERVICE, value: %[2]s}
        - {name: PORT, value: "8080"}
        - {name: HOSTILE, value: %[4]q}
        - {name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
        ports: [{name: http, containerPort: 8080}]
        startupProbe: {httpGet: {path: /startupz, port: http}, periodSeconds: 1, failureThreshold: 60}
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1, failureThreshold: 2}
        livenessProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec:
  selector: {app: %[1]s}
  ports: [{port: 80, targetPort: http}]
---
`, name, mode, replicas, "<b>"+"'\"")
}

const secret = `
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {password: correct-horse}
`

const ready = `document.querySelector("li.pod .line span")?.textContent === "Ready"`

// TestRestartIsFollowed: signs in, sees a Pod become ready, kills its process from the page, and
// follows what comes of it without loading anything anew.
func TestRestartIsFollowed(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret)
	x := open(t, s.link())
	if at := eval[string](x, "location.href"); strings.Contains(at, "t=") {
		t.Errorf("the token stays in the address: %s", at)
	}
	x.live()
	x.until("the Pod is ready", ready)
	x.until("an attempt is drawn", `document.querySelector("svg.strip path.s-ok")`)
	eval[bool](x, "window.here = true")
	x.do(chromedp.Click("li.pod details.menu summary"), chromedp.Click(`li.pod [data-do=signal]`))
	x.until("it is asked which signal", `document.querySelector("li.pod select[name=signal]")`)
	eval[bool](x, `(document.querySelector("li.pod select[name=signal]").value = "KILL") && true`)
	x.do(chromedp.Click("li.pod [data-sure]"))
	x.until("the restart is told", `document.querySelector("li.pod .who").textContent.includes("1 restart")`)
	x.until("the Pod is ready again", ready)
	x.until("the restart is drawn", `document.querySelector("svg.strip path.s-cut")`)
	if !eval[bool](x, "window.here === true") {
		t.Error("the page was loaded anew")
	}
}

// TestPodsPage: the page of a Pod has its attempts and goes on; a Secret is shown on demand only.
func TestPodsPage(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret)
	x := open(t, s.link())
	x.until("the Pod is ready", ready)
	x.do(chromedp.Click("li.pod h3 a"))
	x.until("there are attempts", `document.querySelectorAll("#attempts tbody tr").length > 3`)
	x.do(chromedp.Click("#head [data-press=o]"))
	x.until("it is out of rotation", `document.querySelector("#head .state")?.textContent === "Out" || document.querySelector("#head .answer")?.textContent.includes("No more requests")`)
	first := x.text("#attempts tbody tr td")
	x.until("others come", fmt.Sprintf(`document.querySelector("#attempts tbody tr td").textContent !== %q`, first))
	if strings.Contains(eval[string](x, "document.documentElement.outerHTML"), "correct-horse") {
		t.Error("the value of a Secret is part of the page")
	}
	x.do(chromedp.Click("button[data-secret]"))
	x.until("the value is shown", `document.querySelector("#environment code")?.textContent === "correct-horse"`)
	x.until("that is an Event", `[...document.querySelectorAll("#events td")].some((td) => td.textContent.includes("SecretShown") && !td.textContent.includes("correct-horse"))`)
}

// TestLogs: the end comes first, is followed, filtered on the server, and shown as text.
func TestLogs(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 2)+secret)
	x := open(t, s.link())
	x.until("the Pod is ready", ready)
	x.goTo("/ui/logs?workload=deployment/default/web")
	x.until("there are lines of both Pods", `new Set([...document.querySelectorAll(".shown .from")].map((s) => s.textContent)).size === 2`)
	count := eval[int](x, `parseInt(document.getElementById("log-state").textContent)`)
	x.until("others come", fmt.Sprintf(`parseInt(document.getElementById("log-state").textContent) > %d`, count+10))
	x.do(chromedp.SendKeys("#q", "/line 1.? /"))
	x.until("the filter holds", `[...document.querySelectorAll(".shown > div")].length > 0 && [...document.querySelectorAll(".shown > div")].every((d) => d.querySelector("mark"))`)
	if at := eval[string](x, "location.search"); !strings.Contains(at, "q=") {
		t.Errorf("the filter is not in the address: %s", at)
	}
}

// TestHostileTexts: whatever services say, it is text.
func TestHostileTexts(t *testing.T) {
	s := startServer(t, deployment("web", "hostile", 1)+secret)
	x := open(t, s.link())
	x.until("the probe's answer is shown", `document.querySelector("li.pod .msg.bad, li.pod .msg")?.title.includes("<img src=x")`)
	paths := []string{"/ui/pods", eval[string](x, `document.querySelector("li.pod h3 a").getAttribute("href")`), eval[string](x, `document.querySelector("li.pod .do a").getAttribute("href")`), "/ui/events"}
	for _, path := range paths {
		x.goTo(path)
		x.live()
		if strings.HasPrefix(path, "/ui/logs") {
			x.until("the line is shown", `document.querySelector(".shown")?.textContent.includes("<img src=x")`)
		}
		if n := eval[int](x, `document.querySelectorAll("main img, main script, main a[href^='javascript']").length`); n > 0 || eval[string](x, "document.title") == "broken" {
			t.Errorf("%s: a text has become markup", path)
		}
		if eval[bool](x, `/[\u202a-\u202e\u2066-\u2069\u001b]/.test(document.body.textContent)`) {
			t.Errorf("%s: a text turns letters around", path)
		}
	}
}

// TestForeignPage: a page of another origin can neither read nor change anything, though the
// browser is signed in.
func TestForeignPage(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret)
	x := open(t, s.link())
	x.until("the Pod is ready", ready)
	origin, path := eval[string](x, "location.origin"), eval[string](x, `document.querySelector("li.pod h3 a").getAttribute("href")`)
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<title>foreign</title>")
	}))
	defer foreign.Close()
	x.expect()
	x.do(chromedp.Navigate(foreign.URL))
	for name, script := range map[string]string{
		"a read":        fmt.Sprintf(`fetch(%q, {credentials: "include"}).then(() => "read", () => "refused")`, origin+"/ui/pods"),
		"a blind write": fmt.Sprintf(`fetch(%q, {method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams({do: "delete"})}).then(() => "refused", () => "refused")`, origin+path+"/do"),
		"a stream":      fmt.Sprintf(`new Promise((done) => { const s = new EventSource(%q, {withCredentials: true}); s.onopen = () => done("read"); s.onerror = () => { s.close(); done("refused"); }; })`, origin+"/ui/stream"),
	} {
		if got := eval[string](x, script); got != "refused" {
			t.Errorf("%s of a foreign page: %s", name, got)
		}
	}
	x.do(chromedp.Navigate(origin + path))
	x.until("the Pod is still there", `document.querySelector("#head .state")?.textContent.includes("Ready")`)
}

// TestProbityRestarts: a page that is open says that nobody answers, and goes on when the run was
// started again: signed in, with what there is now.
func TestProbityRestarts(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret)
	x := open(t, s.link())
	x.live()
	x.until("the Pod is ready", ready)
	name := x.text("li.pod h3 a")
	x.expect()
	s.stop(os.Interrupt)
	x.until("the page says so", `document.querySelector(".banner")?.textContent.includes("No connection")`)
	s.start()
	x.until("the page is live again", `document.getElementById("live").textContent === "Live" && !document.body.hasAttribute("data-lost")`)
	x.until("there is another Pod", fmt.Sprintf(`document.querySelector("li.pod h3 a") && document.querySelector("li.pod h3 a").textContent !== %q`, name))
	x.until("the Pod is ready", ready)
}

// TestTenTabs: ten tabs have one stream, also when the one that reads it is closed.
func TestTenTabs(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret)
	x := open(t, s.link())
	x.live()
	all := []*tab{x}
	for range 9 {
		next := open(t, eval[string](x, "location.href"))
		next.live()
		all = append(all, next)
	}
	streams := func() (n int) {
		for _, x := range all {
			n += eval[int](x, `performance.getEntriesByType("resource").filter((r) => r.name.includes("/ui/stream")).length`)
		}
		return n
	}
	if n := streams(); n > 1 { // one that goes on has no entry yet
		t.Errorf("%d streams were opened", n)
	}
	x.do(chromedp.Navigate("about:blank"))
	last := all[len(all)-1]
	seen := last.text("#axis-start")
	last.until("the others go on", fmt.Sprintf(`document.getElementById("live").textContent === "Live" && document.getElementById("axis-start").textContent !== %q`, seen))
}

// TestKeyboard: from opening to a restart without a mouse.
func TestKeyboard(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 2)+secret)
	x := open(t, s.link())
	x.until("both Pods are ready", `[...document.querySelectorAll("li.pod .line span:first-child")].filter((n) => n.textContent === "Ready").length === 2`)
	x.key("?")
	x.until("the keys are listed", `document.getElementById("help").open`)
	x.key(kb.Escape)
	x.until("the list is closed", `!document.getElementById("help").open`)
	name := x.text("li.pod:last-child h3 a")
	x.key("/", kb.Backspace) // the character comes apart from the key here, and is not held back with it
	x.key(strings.Split(name[strings.LastIndexByte(name, '-')+1:], "")...)
	x.until("the filter holds", `document.querySelectorAll("li.pod").length === 1`)
	x.key(kb.Escape, "j", "r")
	x.until("it asks", `document.querySelector(".question")?.textContent.includes("of 2 replicas stay ready")`)
	x.until("the answer has the focus", `document.activeElement.hasAttribute("data-sure")`)
	x.key(kb.Enter)
	x.until("it is restarted", `document.querySelector("li.pod .who").textContent.includes("1 restart")`)
	x.key(kb.Escape)
	x.until("the filter is cleared", `document.querySelectorAll("li.pod").length === 2`)
	x.key("j", kb.Enter)
	x.until("the Pod's page is open", `document.querySelector("#attempts")`)
	x.live() // and hears keys
	x.key("l")
	x.until("its log is open", `document.getElementById("lines")`)
	x.live()
	x.key("g", "e")
	x.until("the Events are open", `document.getElementById("event-list")`)
}

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
	script, err := axe()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Logf("NOT TESTED: the rules of axe: %v", err)
	}
	pod := eval[string](x, `document.querySelector("li.pod h3 a").getAttribute("href")`)
	log := eval[string](x, `document.querySelector("li.pod .do a").getAttribute("href")`)
	pages := map[string]string{"pods": "/ui/pods", "services": "/ui/services", "events": "/ui/events", "logs": "/ui/logs", "pod": pod, "log": log, "nothing": "/ui/pods?q=nothing", "missing": "/ui/nowhere",
		"health": "/ui/health", "form": healthPage, "new": "/ui/new", "simulate": "/ui/simulate"}
	for name, path := range pages {
		x.expect() // the one that is missing
		for _, width := range []int64{320, 360, 1024, 1600} {
			for _, colours := range []string{"light", "dark"} {
				x.do(chromedp.EmulateViewport(width, 900), theme(colours))
				x.goTo(path)
				x.live()
				where := fmt.Sprintf("%s, %d pixels, %s", name, width, colours)
				if over := eval[int](x, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
					t.Errorf("%s: %d pixels too wide: %s", where, over, eval[string](x, tooWide))
				}
				if cut := eval[string](x, `[...document.querySelectorAll(".cut")].filter((n) => n.scrollWidth > n.clientWidth && !n.title && !n.closest("[title]")).map((n) => n.outerHTML).join("\n")`); cut != "" {
					t.Errorf("%s: cut without a title: %s", where, cut)
				}
				if script != "" && width != 1600 {
					check(x, where, script)
				}
				picture(x, fmt.Sprintf("%s-%d-%s.png", name, width, colours))
			}
		}
	}
}

// tooWide names what reaches over the edge of the window and is not in something that scrolls.
const tooWide = `[...document.querySelectorAll("body *")].filter((n) => n.getBoundingClientRect().right > innerWidth + 1 && !n.parentElement.closest(".scroll, .wire, .log, .lines, .tabs")).map((n) => n.outerHTML.slice(0, 120)).slice(0, 5).join("\n")`

// check lets axe look at a page.
func check(x *tab, where, script string) {
	x.t.Helper()
	found := eval[string](x, script+`;axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).then((r) => JSON.stringify(r.violations))`)
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
