package browser

import (
	"os"
	"slices"
	"testing"
	"time"
)

// mostFirstPaint is when the first page has to be seen, from the key press on.
const mostFirstPaint = 300 * time.Millisecond

// TestFirstPage: the page of fifty Pods is soon seen, as the browser itself measures it. Where
// other things run at the same time it may take four times as long; see [budget].
func TestFirstPage(t *testing.T) {
	c := newCrowd(t, 50)
	x := open(t, c.link())
	var all []time.Duration
	for range 5 {
		x.goTo("/ui/events")
		x.goTo("/ui/pods")
		x.until("the page is painted", `performance.getEntriesByName("first-contentful-paint").length > 0 && document.querySelectorAll("li.pod").length === 50`)
		at := eval[float64](x, `performance.getEntriesByName("first-contentful-paint")[0].startTime`)
		all = append(all, time.Duration(at*float64(time.Millisecond)))
	}
	most := mostFirstPaint
	if os.Getenv("PROBITY_BUDGETS") == "" {
		most *= 4
	}
	t.Logf("the first page is seen after %v", all)
	// others on the machine make it slower, never faster
	if slices.Min(all) > most {
		t.Errorf("the first page is seen after %v, want %v at most", median(all), most)
	}
}
