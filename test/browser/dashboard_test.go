package browser

import (
	"fmt"
	"os"
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
`, name, mode, replicas, map[bool]string{true: hostile, false: "<b>'\""}[mode == "hostile"])
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
	x.click("li.pod details.menu summary", `li.pod [data-do=signal]`)
	x.until("it is asked which signal", `document.querySelector("li.pod select[name=signal]")`)
	eval[bool](x, `(document.querySelector("li.pod select[name=signal]").value = "KILL") && true`)
	x.click("li.pod [data-sure]")
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
	x.click("li.pod h3 a")
	x.until("there are attempts", `document.querySelectorAll("#attempts tbody tr").length > 3`)
	x.click("#head [data-press=o]")
	x.until("it is out of rotation", `document.querySelector("#head .state")?.textContent === "Out" || document.querySelector("#head .answer")?.textContent.includes("No more requests")`)
	first := x.text("#attempts tbody tr td")
	x.until("others come", fmt.Sprintf(`document.querySelector("#attempts tbody tr td").textContent !== %q`, first))
	if strings.Contains(eval[string](x, "document.documentElement.outerHTML"), "correct-horse") {
		t.Error("the value of a Secret is part of the page")
	}
	x.click("button[data-secret]")
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
			open, _ := x.open()
			n += open
		}
		return n
	}
	if n := streams(); n != 1 {
		t.Errorf("%d streams are open", n)
	}
	x.do(chromedp.Navigate("about:blank"))
	last := all[len(all)-1]
	seen := last.text("#axis-start")
	last.until("the others go on", fmt.Sprintf(`document.getElementById("live").textContent === "Live" && document.getElementById("axis-start").textContent !== %q`, seen))
	all = all[1:]
	if n := streams(); n != 1 {
		t.Errorf("after the first tab was closed %d streams are open", n)
	}
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
