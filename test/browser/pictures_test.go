package browser

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPictures makes the pictures of docs/dashboard.md, on demand:
//
//	PROBITY_DOCS=../../docs/dashboard GOWORK=off go test -run Pictures .
func TestPictures(t *testing.T) {
	dir := os.Getenv("PROBITY_DOCS")
	if dir == "" {
		t.Skip("PROBITY_DOCS does not say where to")
	}
	s := startServer(t, deployment("calculator", "flaky", 2)+deployment("gateway", "stuck", 1)+deployment("trainer", "late", 1)+secret)
	x := open(t, s.link())
	x.do(theme("light"), chromedp.EmulateViewport(1280, 720))
	x.live()
	restarted := `[...document.querySelectorAll("li.pod")].find((li) => li.querySelector(".who").textContent.includes("1 restart"))`
	for range 4 { // it takes 25 seconds until it is stuck
		if eval[bool](x, "!!"+restarted) {
			break
		}
		eval[bool](x, `new Promise((done) => setTimeout(() => done(true), 12000))`)
	}
	x.until("one was restarted", restarted)
	x.until("another is out of rotation", `document.querySelector("li.pod .counter .bad")`)
	pod := eval[string](x, restarted+`.querySelector("h3 a").getAttribute("href")`)
	for name, path := range map[string]string{"pods": "/ui/pods", "pod": pod, "log": "/ui/logs?workload=deployment/default/calculator", "services": "/ui/services"} {
		x.goTo(path)
		x.live()
		eval[bool](x, `new Promise((done) => setTimeout(() => done(true), 2500))`) // a picture of the width of the page comes after the first one
		png, err := chromedp.Run(x.ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
