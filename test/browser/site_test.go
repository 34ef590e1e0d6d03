package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// site is the folder of the documentation and the playground, built once, or PROBITY_SITE if that
// names one.
var site = sync.OnceValues(func() (string, error) {
	if built := os.Getenv("PROBITY_SITE"); built != "" {
		return filepath.Abs(built)
	}
	to := filepath.Join(folder, "site")
	build := exec.Command("go", "run", "./docs/site", to)
	build.Dir, build.Env = "../..", append(os.Environ(), "GOWORK=")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build the site: %w\n%s", err, out)
	}
	return to, nil
})

// sites are the addresses of a page of the site: on a host that knows nothing, and as a file.
func sites(t *testing.T, page string) map[string]string {
	t.Helper()
	folder, err := site()
	if err != nil {
		t.Fatal(err)
	}
	host := httptest.NewServer(http.FileServer(http.Dir(folder)))
	t.Cleanup(host.Close)
	return map[string]string{"served": host.URL + "/" + page, "file": "file://" + folder + "/" + page}
}

// TestSiteSearch: who types gets sections, the best first, and goes there by the keyboard alone. It
// is so on a host and in a file, and from a page in a folder.
func TestSiteSearch(t *testing.T) {
	for name, address := range sites(t, "docs/how-to/install.html") {
		t.Run(name, func(t *testing.T) {
			x := open(t, address)
			x.key("/")
			x.until("the search has the focus", `document.activeElement.id === "q"`)
			x.do(chromedp.SendKeys("#q", "completion shell"))
			x.until("sections are found", `document.querySelectorAll("#results li").length > 0`)
			if first := x.text("#results li"); !strings.Contains(first, "Completion of the shell") {
				t.Errorf("the first result is %q", first)
			}
			x.key(kb.ArrowDown)
			x.until("the first result has the focus", `document.activeElement === document.querySelector("#results a")`)
			x.key(kb.Escape)
			x.until("the results are closed", `document.getElementById("results").hidden && document.activeElement.id === "q"`)
			x.search("nosuchword")
			x.until("nothing is found", `document.getElementById("count").textContent === "Nothing is found."`)
			x.search("port 8080")
			x.until("a number that is no word of the index does not count", `document.querySelectorAll("#results li").length > 0`)
			x.search("crash loop back")
			x.until("the rules are found", `document.querySelector("#results li")?.textContent.includes("Crash-loop back-off")`)
			x.key(kb.Enter)
			x.until("its section is open", `location.pathname.endsWith(".html") && location.hash.startsWith("#crash-loop-back-off") && document.querySelector(location.hash)`)
			x.until("its page is marked", `document.querySelector("nav.pages a[aria-current=page]")`)
		})
	}
}

// search puts another text into the field of the search.
func (x *tab) search(text string) {
	x.t.Helper()
	eval[bool](x, fmt.Sprintf(`(() => { const q = document.getElementById("q"); q.value = %q; return q.dispatchEvent(new Event("input")); })()`, text))
}

// TestSiteFits: pages of each kind in each width and theme, as TestPages looks at those of the
// dashboard, with the results of a search over them at the end.
func TestSiteFits(t *testing.T) {
	script := rulesOfAxe(t)
	for _, page := range []string{"index.html", "docs/how-to/install.html", "docs/reference/probity_check.html", "docs/dashboard.html", "docs/conformance.html"} {
		x := open(t, sites(t, page)["served"])
		for _, width := range []int64{320, 360, 1024, 1600} {
			x.do(chromedp.EmulateViewport(width, 900), chromedp.Reload())
			for _, colours := range []string{"light", "dark"} {
				x.do(theme(colours))
				where := fmt.Sprintf("%s, %d pixels, %s", page, width, colours)
				x.lookAt(where, script)
				picture(x, strings.ReplaceAll(strings.TrimSuffix(page, ".html"), "/", "-")+fmt.Sprintf("-%d-%s.png", width, colours))
			}
		}
		x.do(chromedp.SendKeys("#q", "probe"))
		x.until("sections are found", `document.querySelectorAll("#results li").length > 0`)
		if script != "" {
			check(x, page+", with results", script)
		}
		picture(x, "search-"+filepath.Base(page)+".png")
	}
}
