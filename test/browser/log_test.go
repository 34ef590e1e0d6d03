package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	// logLines is how many lines of a log a page keeps.
	logLines = 100_000
	// mostTab is how much memory of scripts a page may take with all of them.
	mostTab = 150_000_000
)

// TestLongLog: a log of 100,000 lines is read up to its beginning, walked through and searched
// without keeping the page busy for longer than a frame at a time.
func TestLongLog(t *testing.T) {
	s := scene(t)
	const pod = "calculator-7d9c6b5f4-h2xkq"
	lines := make([]string, logLines)
	for i := range lines {
		lines[i] = fmt.Sprintf("\x1b[32mINFO\x1b[0m  request %d took %d.%d ms", i, 1+i%40, i%10)
		if i%10_000 == 77 {
			lines[i] = fmt.Sprintf("ERROR request %d: needle: the pool is exhausted", i)
		}
	}
	s.writeLog(pod, 0, time.Millisecond, lines...)
	x := open(t, s.link())
	x.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate("http://"+s.address+"/ui/logs?probes=off&pod=default/"+pod))
	x.live()
	x.seen("the end is shown", `document.querySelector(".shown")?.textContent.includes("request 99999 ")`)
	w := busy(x)
	var all []time.Duration
	step := func(what, script, sign string) {
		t.Helper()
		eval[bool](x, "("+script+", true)")
		x.seen(what, sign)
		took := w.since()
		if all = append(all, took); took > budget() {
			t.Logf("%s keeps the page busy for %v: %s", what, took, w.parts)
		}
	}
	count := `parseInt(document.getElementById("log-state").textContent.replaceAll(",", ""))`
	for have := eval[int](x, count); have < logLines; {
		step(fmt.Sprintf("reading what is before %d lines", have), `document.getElementById("lines").scrollTop = 0`, fmt.Sprintf("%s > %d", count, have))
		have = eval[int](x, count)
	}
	// others on the machine make a step slower, never faster
	if few, many := median(all[:20]), slices.Min(all[len(all)-20:]); many > 3*few {
		t.Errorf("a step of many lines keeps the page busy for %v, one of few lines for %v: it may not grow with them", many, few)
	}
	for i := range 20 {
		line := (i * 37_199) % (logLines - 100)
		step("a jump", fmt.Sprintf(`document.getElementById("lines").scrollTop = %d`, line*20), fmt.Sprintf(`document.querySelector(".shown").textContent.includes("request %d ")`, line+5))
	}
	if memory := w.last["JSHeapUsedSize"]; memory > mostTab {
		t.Errorf("the page's scripts take %.0f MB", memory/1e6)
	}
	eval[bool](x, `(document.getElementById("wrap").click(), true)`)
	x.seen("lines are wrapped", `document.querySelector(".wrapped .shown")?.textContent.includes("request 99999 ")`)
	w.since()
	for i := range 5 {
		step("a step of wrapped lines", fmt.Sprintf(`(document.getElementById("lines").scrollTop -= 400, document.body.dataset.step = "%d")`, i), fmt.Sprintf(`document.body.dataset.step === "%d"`, i))
	}
	step("a search", `(document.getElementById("q").value = "needle", document.getElementById("q").dispatchEvent(new Event("input")))`, `document.querySelectorAll(".shown > div mark").length === 10`)
	slices.Sort(all)
	const share = 95
	most := all[len(all)*share/100] // the machine has other things to do now and then
	t.Logf("%d lines: %d %% of %d steps keep the page busy for at most %v, all for %v; %.0f MB of scripts' memory", logLines, share, len(all), most, all[len(all)-1], w.last["JSHeapUsedSize"]/1e6)
	if most > budget() {
		t.Errorf("a step may keep the page busy for %v", budget())
	}
}

// TestWrappedLog: with wrapped lines, too, a log is read up to its beginning and back to its end,
// and what is read stays in its place when more lines are put above it.
func TestWrappedLog(t *testing.T) {
	s := scene(t)
	const pod = "calculator-7d9c6b5f4-h2xkq"
	lines := make([]string, 3000)
	for i := range lines {
		lines[i] = fmt.Sprintf("request %d %s", i, strings.Repeat("and so on ", 1+i%60))
	}
	s.writeLog(pod, 0, time.Millisecond, lines...)
	x := open(t, s.link())
	x.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate("http://"+s.address+"/ui/logs?probes=off&pod=default/"+pod))
	x.live()
	shows := func(i int) string {
		return fmt.Sprintf(`document.querySelector(".wrapped .shown")?.textContent.includes("request %d ")`, i)
	}
	x.seen("the end is shown", `document.querySelector(".shown")?.textContent.includes("request 2999 ")`)
	eval[bool](x, `(document.getElementById("wrap").click(), true)`)
	x.seen("lines are wrapped", shows(2999))
	const seen = `(() => { const box = document.getElementById("lines").getBoundingClientRect().top; const d = [...document.querySelectorAll(".shown > div")].find((d) => d.getBoundingClientRect().bottom > box + 100); return d.textContent.match(/request \d+/)[0] + " at " + Math.round(d.getBoundingClientRect().top - box); })()`
	first := `+document.querySelector(".shown > div").textContent.match(/request (\d+)/)[1]`
	for have := eval[int](x, first); have > 0; {
		eval[bool](x, `(document.getElementById("lines").scrollTop = 300, window.reading = `+seen+`, true)`)
		x.until(fmt.Sprintf("lines before %d", have), fmt.Sprintf("%s < %d", first, have))
		if was, is := eval[string](x, "window.reading"), eval[string](x, seen); was != is {
			t.Errorf("%s was read, and is %s", was, is)
		}
		have = eval[int](x, first)
	}
	x.until("the end is not there", "!("+shows(2999)+")")
	for have := 0; !eval[bool](x, shows(2999)); have = eval[int](x, first) {
		eval[bool](x, `(document.getElementById("lines").scrollTop = 1e7, true)`)
		x.until(fmt.Sprintf("lines after %d", have), fmt.Sprintf("%s > %d", first, have))
	}
}

func median(all []time.Duration) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}
