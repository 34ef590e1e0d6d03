package browser

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// TestCrowd measures the page of many Pods, three probes a second each: how long frames take, how
// much the stream brings. It needs a machine of its own, and is run on demand:
//
//	PROBITY_CROWD=200 GOWORK=off go test -run Crowd -v .
func TestCrowd(t *testing.T) {
	pods, _ := strconv.Atoi(os.Getenv("PROBITY_CROWD"))
	if pods == 0 {
		t.Skip("PROBITY_CROWD does not say of how many Pods")
	}
	s := startServer(t, deployment("web", "calm", pods)+secret)
	x := open(t, s.link())
	x.live()
	for end := time.Now().Add(10 * timeout); !eval[bool](x, fmt.Sprintf(`document.querySelectorAll("li.pod").length === %d && parseInt(document.querySelector("[data-fig=ready]").textContent) === %[1]d`, pods)); time.Sleep(time.Second) {
		if time.Now().After(end) {
			t.Fatal("the Pods do not become ready")
		}
	}
	const seconds = 10
	type figures struct {
		Worst, Long, Script, Navigation float64
		Stream                          float64
	}
	got := eval[figures](x, fmt.Sprintf(`new Promise((done) => {
		let worst = 0, last = performance.now(), long = 0, bytes = 0;
		new PerformanceObserver((l) => { for (const e of l.getEntries()) long = Math.max(long, e.duration); }).observe({entryTypes: ["longtask"]});
		const source = new EventSource("/ui/stream");
		for (const kind of ["a", "pods", "svc", "ev"]) source.addEventListener(kind, (e) => { bytes += e.data.length + 60; });
		const frame = (now) => { worst = Math.max(worst, now - last); last = now; requestAnimationFrame(frame); };
		requestAnimationFrame(frame);
		setTimeout(() => { source.close(); done({Worst: worst, Long: long, Stream: bytes / %[1]d, Navigation: performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd}); }, %[1]d * 1000);
	})`, seconds))
	t.Logf("%d Pods: worst frame %.0f ms, longest task %.0f ms, stream %.1f KB/s, page in %.0f ms", pods, got.Worst, got.Long, got.Stream/1000, got.Navigation)
	if pods <= 200 && (got.Worst > 50 || got.Stream > 60_000) {
		t.Errorf("the budgets are 50 ms a frame and 60 KB/s")
	}
}
