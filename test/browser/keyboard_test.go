package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// tabTo presses Tab until an element has the focus.
func (x *tab) tabTo(what, is string) {
	x.t.Helper()
	var way []string
	for range 60 {
		x.key(kb.Tab)
		if eval[bool](x, is) {
			return
		}
		way = append(way, eval[string](x, `document.activeElement.id || document.activeElement.outerHTML.slice(0, 60)`))
	}
	x.t.Fatalf("Tab does not lead to %s, but to %s", what, strings.Join(way, ", "))
}

// TestAllByKeyboard: the whole way without a mouse, once: a Pod is restarted and followed, its log
// is read and searched, a probe is changed, and the rollout is followed to its end.
func TestAllByKeyboard(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret)
	x := open(t, s.link())
	x.live()
	x.until("the Pod is ready", ready)
	x.key("j", "r")
	x.until("it asks", `document.activeElement.hasAttribute("data-sure")`)
	x.key(kb.Enter)
	x.until("the restart is told", `document.querySelector("li.pod .who").textContent.includes("1 restart")`)
	x.until("the Pod is ready again", ready)
	x.key(kb.Escape) // the menu
	x.until("the menu is closed", `!document.querySelector("details.menu[open]")`)

	x.tabTo("the Pod", `document.activeElement.matches("li.pod h3 a")`)
	x.key(kb.Enter)
	x.until("the Pod's page is open", `document.querySelector("#attempts")`)
	x.live()
	x.key("l")
	x.until("its log is open", `document.getElementById("lines")`)
	x.live()
	x.until("there are lines", `document.querySelectorAll(".shown > div").length > 3`)
	x.key("/", kb.Backspace) // the character comes apart from the key here, and is not held back with it
	x.until("the filter has the focus", `document.activeElement.id === "q"`)
	x.key("l", "i", "n", "e", " ", "1")
	x.until("the filter holds", `document.querySelectorAll(".shown > div").length > 0 && [...document.querySelectorAll(".shown > div")].every((d) => d.querySelector("mark"))`)
	x.key(kb.Escape) // out of the field
	x.until("the field is left", `document.activeElement.id !== "q"`)

	x.key("g", "h")
	x.until("the health checks are listed", `document.querySelector("table.health")`)
	x.live()
	x.tabTo("the readiness probe", `document.activeElement.getAttribute("aria-label") === "Edit the readiness probe of web"`)
	x.key(kb.Enter)
	x.until("the form is open", answered(1))
	x.tabTo("the period", `document.activeElement.name === "readinessProbe.periodSeconds"`)
	x.key(kb.End, kb.Backspace, "3")
	x.until("the draft has it", `document.querySelector("#changes .diff .add")?.textContent.includes("periodSeconds: 3")`)
	x.tabTo("the button", `document.activeElement.id === "apply"`)
	x.key(kb.Enter)
	x.until("the rollout is over", `document.querySelector("#done [data-rollout=over]")`)
	x.key("g", "p")
	x.until("the Pods are listed", `document.querySelector("li.pod")`)
	x.live()
	x.until("the Pod is another one, and ready", fmt.Sprintf(`document.querySelectorAll("li.pod").length === 1 && %s && !document.querySelector("li.pod .who").textContent.includes("restart")`, ready))
}
