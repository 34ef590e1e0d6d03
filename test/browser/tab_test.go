package browser

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a tab of the browser. What goes wrong in its pages fails the test.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string
	expected bool // that a connection is lost
	requests []*network.Request
	streams  map[network.RequestID]int64 // those that go on, and how many bytes they brought
}

// open opens a link in a new tab.
func open(t *testing.T, link string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(allocator, options...)
	x := &tab{t: t, ctx: ctx, streams: map[network.RequestID]int64{}}
	t.Cleanup(func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, problem := range x.problems {
			t.Error(problem)
		}
	})
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // the tab lives as long as this context
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, x.hear); err != nil {
		t.Fatal(err)
	}
	x.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(link))
	return x
}

// hear notes what a page asks for, and what it complains about: errors of scripts, and what the
// policy has refused.
func (x *tab) hear(event any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "blob:") { // which lies in the page itself
			x.requests = append(x.requests, e.Request)
		}
		if strings.Contains(e.Request.URL, "/ui/stream") {
			x.streams[e.RequestID] = 0
		}
	case *network.EventDataReceived:
		if n, ok := x.streams[e.RequestID]; ok {
			x.streams[e.RequestID] = n + e.DataLength
		}
	case *network.EventLoadingFailed:
		delete(x.streams, e.RequestID)
	case *network.EventLoadingFinished:
		delete(x.streams, e.RequestID)
	case *runtime.EventExceptionThrown:
		x.problems = append(x.problems, fmt.Sprintf("an error of a script: %s %s:%d", e.ExceptionDetails.Exception.Description, e.ExceptionDetails.URL, e.ExceptionDetails.LineNumber))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !(x.expected && (e.Entry.Source == log.EntrySourceNetwork || strings.Contains(e.Entry.Text, "CORS policy"))) {
			x.problems = append(x.problems, fmt.Sprintf("the browser complains: %s %s", e.Entry.Text, e.Entry.URL))
		}
	}
}

// asked is what the pages of the tab have asked for.
func (x *tab) asked() []*network.Request {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.requests)
}

// open is how many streams go on, and how many bytes they have brought.
func (x *tab) open() (streams int, bytes int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, n := range x.streams {
		bytes += n
	}
	return len(x.streams), bytes
}

// complaints are what pages have complained about so far, which is forgotten then.
func (x *tab) complaints() (all []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	all, x.problems = x.problems, nil
	return all
}

// expect says that requests will fail from here on.
func (x *tab) expect() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.expected = true
}

func (x *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, timeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		x.t.Fatal(err)
	}
}

// eval is the value of an expression. A page that another one takes the place of meanwhile has
// none: then the other one is asked.
func eval[T any](x *tab, expression string) T {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, timeout)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	for ctx.Err() == nil {
		if _, gone := errors.AsType[*cdproto.Error](err); !gone {
			break
		}
		value, err = chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	}
	if err != nil {
		x.t.Fatalf("%.300s: %v", expression, err)
	}
	return value
}

// until waits for a condition of the page.
func (x *tab) until(what, expression string) {
	x.t.Helper()
	for end := time.Now().Add(timeout); !eval[bool](x, "!!("+expression+")"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			x.t.Fatalf("not within %v: %s: %s\nthe page says:\n%s", timeout, what, expression, eval[string](x, "location.href + ' ' + (document.getElementById('q')?.value ?? '') + '\\n' + document.body.innerText"))
		}
	}
}

// live waits until the page is live.
func (x *tab) live() {
	x.t.Helper()
	x.until("the page is live", `document.getElementById("live")?.textContent === "Live"`)
}

// goTo opens another page of the same server.
func (x *tab) goTo(path string) {
	x.t.Helper()
	x.do(chromedp.Navigate(eval[string](x, "location.origin") + path))
}

// theme sets light or dark.
func theme(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	})
}

// key types keys, one after the other, on a page whose scripts have run: nobody would hear them
// before.
func (x *tab) key(keys ...string) {
	x.t.Helper()
	x.until("the page is loaded", `document.readyState === "complete"`)
	for _, k := range keys {
		x.do(chromedp.KeyEvent(k))
	}
}

// click clicks on elements, one after the other. A page that is live may put another one in place
// of one that was just found: then it is looked for again.
func (x *tab) click(selectors ...string) {
	x.t.Helper()
	for _, selector := range selectors {
		ctx, cancel := context.WithTimeout(x.ctx, timeout)
		err := chromedp.Do(ctx, chromedp.Click(selector))
		for ctx.Err() == nil {
			if _, gone := errors.AsType[*cdproto.Error](err); !gone {
				break
			}
			err = chromedp.Do(ctx, chromedp.Click(selector))
		}
		cancel()
		if err != nil {
			x.t.Fatalf("cannot click on %s: %v", selector, err)
		}
	}
}

// text is what an element says.
func (x *tab) text(selector string) string {
	x.t.Helper()
	return strings.TrimSpace(eval[string](x, fmt.Sprintf("document.querySelector(%q)?.textContent ?? ''", selector)))
}

// seen waits for a condition as until does, but in the page, which is looked at only when something
// of it has changed: so that waiting costs it nothing.
func (x *tab) seen(what, expression string) {
	x.t.Helper()
	if !eval[bool](x, fmt.Sprintf(`new Promise((done) => {
		const is = () => !!(%s);
		if (is()) return done(true);
		const watch = new MutationObserver(() => { if (is()) { watch.disconnect(); clearTimeout(end); done(true); } });
		const end = setTimeout(() => { watch.disconnect(); done(is()); }, %d);
		watch.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
	})`, expression, (timeout-2*time.Second).Milliseconds())) {
		x.t.Fatalf("not within %v: %s: %s", timeout, what, expression)
	}
}
