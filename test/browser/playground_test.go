package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// playgrounds are the addresses of the playground: on a host that knows nothing, and as a file.
func playgrounds(t *testing.T) map[string]string {
	t.Helper()
	return sites(t, "playground/index.html")
}

// read is that the page shows what is found in a text, which was read so often.
func read(times int) string { return fmt.Sprintf(`Number(document.body.dataset.read) >= %d`, times) }

// manifest puts a text into the editor, as if it was pasted, and waits for what is found.
func (x *tab) manifest(text string) {
	x.t.Helper()
	before := eval[int](x, `Number(document.body.dataset.read ?? 0)`)
	eval[bool](x, fmt.Sprintf(`(() => { const t = document.getElementById("text"); t.value = %q; t.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`, text))
	x.until("the text is read", read(before+1))
}

const commented = `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: app
    image: app
    ports: [{containerPort: 8080}]
    # it must not ask the database
    livenessProbe: {httpGet: {path: /livez, port: 8080}, periodSeconds: 5, timeoutSeconds: 9} # ours
`

// TestPlayground: findings follow what is typed, with their lines; the form writes into the text
// and keeps its comments; a fault is played; a link brings all of it back. It is so on a host and
// in a file, and nothing leaves the page: after the program has been loaded there is no request at
// all, and the browser would refuse one.
func TestPlayground(t *testing.T) {
	for name, address := range playgrounds(t) {
		t.Run(name, func(t *testing.T) {
			x := open(t, address)
			x.until("the example is read", read(1))
			loaded := len(x.asked())
			x.manifest(commented)
			if found := x.text("#found"); !strings.Contains(found, "line 10 timeout-ge-period") {
				t.Errorf("the finding is not told with its line: %s", found)
			}
			if number := x.text("#gutter .idle, #gutter .warn, #gutter .bad"); number != "10" {
				t.Errorf("the line that is marked is %q", number)
			}
			x.click("#found a.place")
			if line := eval[string](x, `(() => { const t = document.getElementById("text"); return t.value.slice(t.selectionStart, t.selectionEnd); })()`); !strings.Contains(line, "livenessProbe:") {
				t.Errorf("the finding leads to %q", line)
			}
			x.until("the form is answered", answered(1))
			x.set("livenessProbe.timeoutSeconds", "2")
			if facts := x.text("#findings"); !strings.Contains(facts, "is solved by this draft") {
				t.Errorf("the form does not say what it solves: %s", facts)
			}
			x.click("#apply")
			want := strings.Replace(commented, "timeoutSeconds: 9", "timeoutSeconds: 2", 1)
			x.until("the draft is written, and the comments are kept", fmt.Sprintf(`document.getElementById("text").value === %q`, want))
			x.until("that is said", `document.querySelector("#done .ok")`)
			x.do(chromedp.SetValue("#simulated-fault", "hang@30s"), chromedp.Click("#simulate button"))
			x.until("the fault is played", `document.querySelector("#picture .said")?.textContent.includes("hang")`)
			x.click("#link")
			x.until("the address has the link", `location.hash.includes("m=")`)
			link := eval[string](x, "location.href")
			if n := len(x.asked()); n != loaded {
				t.Errorf("the page asked %d times after it was loaded: %v", n-loaded, x.asked()[loaded:])
			}
			other := open(t, link)
			other.until("the other page is read", read(1))
			if text := eval[string](other, `document.getElementById("text").value`); text != want {
				t.Errorf("the link brings\n%s", text)
			}
			if fault := eval[string](other, `document.getElementById("simulated-fault").value`); fault != "hang@30s" {
				t.Errorf("the link brings the fault %q", fault)
			}
			x.expect()
			if eval[string](x, `fetch("icon.svg").then(() => "answered", () => "refused")`) != "refused" {
				t.Error("the page could still send something")
			}
			if refused := x.complaints(); len(refused) == 0 {
				t.Error("the browser did not refuse it by the page's policy")
			}
		})
	}
}

// TestPlaygroundLink: a link is kept while one goes about the page, an empty fault is carried too,
// undo brings back what another link took away, and a damaged link is told.
func TestPlaygroundLink(t *testing.T) {
	address := playgrounds(t)["served"]
	x := open(t, address)
	x.until("the example is read", read(1))
	x.manifest(commented)
	eval[string](x, `document.getElementById("simulated-fault").value = ""`)
	x.click("#link")
	x.until("the address has the link", `location.hash.includes("m=")`)
	link := eval[string](x, "location.href")
	x.click(`.tabs a[href="#simulation"]`)
	x.until("the part has the focus", `document.activeElement.id === "simulation"`)
	if now := eval[string](x, "location.href"); now != link {
		t.Errorf("a tab makes %s of the link %s", now, link)
	}
	other := open(t, link)
	other.until("the other page is read", read(1))
	if fault := eval[string](other, `document.getElementById("simulated-fault").value`); fault != "" {
		t.Errorf("the link brings the fault %q, want none", fault)
	}
	const mine = "kind: Pod # mine"
	other.manifest(mine)
	eval[bool](other, fmt.Sprintf(`(() => { history.replaceState(null, "", "#"); location.href = %q; return true; })()`, link))
	other.until("the link is followed", fmt.Sprintf(`document.getElementById("text").value === %q`, commented))
	if now := eval[string](other, `(() => { document.execCommand("undo"); return document.getElementById("text").value; })()`); now != mine {
		t.Errorf("undo brings back %q", now)
	}
	damaged := open(t, address+"#m=dGhpcyBpcyBub3QgZGVmbGF0ZWQ")
	damaged.until("the example is read", read(1))
	damaged.until("the damage is told", `document.getElementById("verdict").textContent.includes("damaged")`)
}

// TestPlaygroundContainers: who chooses a container by the keyboard stays at that field.
func TestPlaygroundContainers(t *testing.T) {
	x := open(t, playgrounds(t)["served"])
	x.until("the example is read", read(1))
	x.manifest(commented + "  - name: second\n    image: app\n")
	eval[bool](x, `(() => { const c = document.getElementById("container"); c.focus(); c.value = "second"; return c.dispatchEvent(new Event("change", {bubbles: true})); })()`)
	x.until("the other container is read", read(3))
	if at := eval[string](x, `document.activeElement.id + " " + document.activeElement.value`); at != "container second" {
		t.Errorf("the focus is at %q", at)
	}
}

// TestPlaygroundProgramEnds: the end of the program is told, and what is asked next begins it anew.
func TestPlaygroundProgramEnds(t *testing.T) {
	x := open(t, "about:blank")
	const spoil = `window.Worker = class extends Worker {
		postMessage(m) { if (m.program && !window.spoilt) window.spoilt = true; else super.postMessage(m); }
	}` // the first one gets no program, and so can answer nothing
	x.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: spoil})
		return err
	}), chromedp.Navigate(playgrounds(t)["served"]))
	x.until("the end is told", `document.getElementById("verdict").textContent.includes("the program has ended")`)
	x.manifest(commented)
	if found := x.text("#found"); !strings.Contains(found, "line 10 timeout-ge-period") {
		t.Errorf("nothing is found: %s", found)
	}
}

// TestPlaygroundFits: the page in each width and theme, as TestPages looks at those of the
// dashboard.
func TestPlaygroundFits(t *testing.T) {
	script := rulesOfAxe(t)
	x := open(t, playgrounds(t)["served"])
	for _, width := range []int64{320, 360, 1024, 1600} {
		x.do(chromedp.EmulateViewport(width, 900), chromedp.Reload())
		x.until("the example is read", read(1)+` && `+answered(1)+` && document.querySelector("#picture svg")`)
		for _, colours := range []string{"light", "dark"} {
			x.do(theme(colours))
			x.lookAt(fmt.Sprintf("playground, %d pixels, %s", width, colours), script)
			picture(x, fmt.Sprintf("playground-%d-%s.png", width, colours))
		}
	}
}

// TestPlaygroundByKeyboard: from a finding to its line, to the form, to the written text.
func TestPlaygroundByKeyboard(t *testing.T) {
	x := open(t, playgrounds(t)["served"])
	x.until("the example is read", read(1))
	x.manifest(commented)
	x.until("the form is answered", answered(1))
	x.tabTo("the finding", `document.activeElement.matches("#found a.place")`)
	x.key(kb.Enter)
	x.until("its line is selected", `document.activeElement.id === "text" && document.activeElement.selectionStart > 0`)
	x.tabTo("the time-out", `document.activeElement.id === "f-livenessProbe-timeoutSeconds"`)
	x.key(kb.Backspace, "3")
	x.until("the draft is answered", answered(2)+` && document.getElementById("apply").getAttribute("aria-disabled") === "false"`)
	x.tabTo("the button that writes", `document.activeElement.id === "apply"`)
	x.key(kb.Enter)
	x.until("it is written", `document.getElementById("text").value.includes("timeoutSeconds: 3}")`)
}

// TestPlaygroundIsSoon tells how soon after the page was opened the first findings are there, those
// of the example that the page brings and those of its program, on a processor that is as fast as
// this one and on one that is four times slower. It is told and judged with PROBITY_BUDGETS alone:
// the machine of a test has other things to do. What goes over the wire is at most 5 MB.
func TestPlaygroundIsSoon(t *testing.T) {
	folder, err := site()
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, name := range []string{"index.html", "icon.svg", "playground.css", "playground.js", "probity.wasm.gz"} {
		info, err := os.Stat(filepath.Join(folder, "playground", name))
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Size()
	}
	t.Logf("over the wire: %d bytes", sum)
	if sum > 5_000_000 {
		t.Errorf("the page has %d bytes, which is more than 5 MB", sum)
	}
	for name, address := range playgrounds(t) {
		for _, slower := range []float64{1, 4} {
			x := open(t, "about:blank")
			x.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
				_, err := cdp.Call(ctx, target, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: slower})
				return err
			}), chromedp.Navigate(address))
			x.until("the example is read", read(1))
			t.Logf("%s, %v times slower: the first findings after %s ms, the program's own after %s ms", name, slower,
				eval[string](x, `document.body.dataset.first`), eval[string](x, `document.body.dataset.checked`))
			const budget = 2000 // ms
			if first := eval[int](x, `Number(document.body.dataset.first)`); os.Getenv("PROBITY_BUDGETS") != "" && first > budget {
				t.Errorf("%s, %v times slower: the first findings are there after %d ms, want %d", name, slower, first, budget)
			}
		}
	}
}
