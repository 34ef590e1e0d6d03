package browser

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// slowHost serves the playground; what program does comes before its program is served.
func slowHost(t *testing.T, program func(http.ResponseWriter, *http.Request) bool) (address string) {
	t.Helper()
	folder, err := site()
	if err != nil {
		t.Fatal(err)
	}
	files := http.FileServer(http.Dir(folder))
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/probity.wasm.gz") || program(w, r) {
			files.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(host.Close)
	return host.URL + "/playground/index.html"
}

// TestPlaygroundBeforeItsProgram: what a link brings is there at once, and who types or turns the
// screen while the program is on its way is answered when it is there.
func TestPlaygroundBeforeItsProgram(t *testing.T) {
	x := open(t, playgrounds(t)["served"])
	x.until("the example is read", read(1))
	x.manifest(commented)
	x.do(chromedp.SetValue("#simulated-fault", "hang@30s"))
	x.click("#link")
	x.until("the address has the link", `location.hash.includes("m=")`)
	fragment := eval[string](x, "location.hash")

	served := make(chan struct{})
	address := slowHost(t, func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-served:
			return true
		case <-r.Context().Done():
			return false
		}
	})
	other := open(t, address+fragment)
	other.until("the link's text is there without the program", `document.getElementById("text").value.includes("# ours")`)
	other.do(chromedp.EmulateViewport(360, 900))
	eval[bool](other, `(() => { const t = document.getElementById("text"); t.value += "# more\n"; return t.dispatchEvent(new Event("input", {bubbles: true})); })()`)
	other.click("#link")
	if said := other.text("#verdict"); said != "" {
		t.Errorf("before there is a program the page says %q", said)
	}
	close(served)
	other.until("it is read", read(1))
	if text := eval[string](other, `document.getElementById("text").value`); text != commented+"# more\n" {
		t.Errorf("the text is now %q", text)
	}
	if fault := eval[string](other, `document.getElementById("simulated-fault").value`); fault != "hang@30s" {
		t.Errorf("the fault is %q, want the link's", fault)
	}
	if found := other.text("#found"); !strings.Contains(found, "line 10 timeout-ge-period") {
		t.Errorf("the finding is not told: %s", found)
	}
}

// TestPlaygroundAtOnce: what is found in the example, and what can be simulated, is there without
// the program, which says the same when it comes. Once another text is there nothing is said of it.
func TestPlaygroundAtOnce(t *testing.T) {
	served := make(chan struct{})
	address := slowHost(t, func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-served:
			return true
		case <-r.Context().Done():
			return false
		}
	})
	shown := func(x *tab) string {
		return eval[string](x, `["verdict", "found", "gutter", "simulate"].map((id) => document.getElementById(id).innerHTML).join("\n")`)
	}
	x := open(t, address)
	x.until("the findings are there", `document.querySelectorAll("#found .finding").length > 1`)
	if state := x.text("#program"); state != "Loading" {
		t.Errorf("the program is %q", state)
	}
	before := shown(x)

	other := open(t, address)
	other.until("the findings are there", `document.querySelectorAll("#found .finding").length > 1`)
	eval[bool](other, `(() => { const t = document.getElementById("text"); t.value += "# more\n"; return t.dispatchEvent(new Event("input", {bubbles: true})); })()`)
	if said := other.text("#verdict") + other.text("#found"); said != "" {
		t.Errorf("of a text that nobody has checked the page says %q", said)
	}

	eval[bool](other, `(() => { const t = document.getElementById("text"); t.value = t.value.replace("# more\n", ""); return t.dispatchEvent(new Event("input", {bubbles: true})); })()`)
	if again := shown(other); again != before {
		t.Errorf("of the example, typed again, the page says\n%s\nbefore it said\n%s", again, before)
	}
	eval[bool](other, `(() => { const t = document.getElementById("text"); t.value += "# more\n"; return t.dispatchEvent(new Event("input", {bubbles: true})); })()`)

	damaged := open(t, address+"#m=dGhpcyBpcyBub3QgZGVmbGF0ZWQ")
	damaged.until("the damage is told without the program", `document.getElementById("verdict").textContent.includes("damaged")`)

	close(served)
	x.until("the program has checked it", `"checked" in document.body.dataset`)
	if after := shown(x); after != before {
		t.Errorf("the program says\n%s\nbefore it the page said\n%s", after, before)
	}
	other.until("the other text is checked", `document.querySelectorAll("#found .finding").length > 1`)
}

// TestPlaygroundWithoutItsProgram: why the program is not there is said, and stays said.
func TestPlaygroundWithoutItsProgram(t *testing.T) {
	x := open(t, slowHost(t, func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "gone", http.StatusGone)
		return false
	}))
	const told = `document.getElementById("program").textContent === "Not loaded" && document.getElementById("verdict").textContent.includes("the host answers 410")`
	x.until("the reason is told", told)
	eval[bool](x, `document.getElementById("text").dispatchEvent(new Event("input", {bubbles: true}))`)
	eval[bool](x, `new Promise((done) => setTimeout(() => done(true), 500))`) // the page waits 150 ms for more keys
	x.until("the reason stays", told)
	x.expect()
}

// TestPlaygroundFileWithoutItsProgram: a file says so, too, and is as closed as one that has it.
func TestPlaygroundFileWithoutItsProgram(t *testing.T) {
	built, err := site()
	if err != nil {
		t.Fatal(err)
	}
	alone := t.TempDir()
	for _, name := range []string{"index.html", "icon.svg", "playground.css", "playground.js"} {
		data, err := os.ReadFile(filepath.Join(built, "playground", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(alone, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x := open(t, "about:blank")
	x.expect()
	x.do(chromedp.Navigate("file://" + alone + "/index.html"))
	x.until("the reason is told", `document.getElementById("verdict").textContent.includes("probity.wasm.js does not lie beside this page")`)
	if rules := eval[int](x, `document.querySelectorAll("meta[http-equiv=Content-Security-Policy]").length`); rules != 2 {
		t.Errorf("the page has %d policies, not that which forbids all connections", rules)
	}
}
