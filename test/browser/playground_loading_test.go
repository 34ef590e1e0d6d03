package browser

import (
	"net/http"
	"net/http/httptest"
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
