package browser

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestHostileTexts: whatever services say, it is text.
func TestHostileTexts(t *testing.T) {
	s := startServer(t, deployment("web", "hostile", 1)+secret)
	x := open(t, s.link())
	x.until("the probe's answer is shown", `document.querySelector("li.pod .msg.bad, li.pod .msg")?.title.includes("<img src=x")`)
	pod := eval[string](x, `document.querySelector("li.pod h3 a").getAttribute("href")`)
	q := "%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D'broken'%22%3E"
	paths := []string{"/ui/pods?q=" + q, "/ui/events?q=" + q, "/ui/events?about=" + q, "/ui/pods", pod, eval[string](x, `document.querySelector("li.pod .do a").getAttribute("href")`), "/ui/events"}
	for _, path := range paths {
		x.goTo(path)
		x.live()
		if strings.HasPrefix(path, "/ui/logs") {
			x.until("the line is shown", `document.querySelector(".shown")?.textContent.includes("<img src=x")`)
		}
		if path == pod {
			x.until("the environment is shown", `document.querySelector("#environment")?.textContent.includes("<img src=x")`)
		}
		if n := eval[int](x, `document.querySelectorAll("main img, main script, main a[href^='javascript']").length`); n > 0 || eval[string](x, "document.title") == "broken" {
			t.Errorf("%s: a text has become markup", path)
		}
		if eval[bool](x, `/[\u202a-\u202e\u2066-\u2069\u001b]/.test(document.body.textContent)`) {
			t.Errorf("%s: a text turns letters around", path)
		}
	}
}

// TestHostileNames: names that no API server would let in are text too.
func TestHostileNames(t *testing.T) {
	s := newStage(t)
	label := map[string]string{"app": hostile}
	pod := add(s, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: hostile, Labels: label, Annotations: map[string]string{hostile: hostile}},
		Spec:       corev1.PodSpec{NodeName: "here", Containers: []corev1.Container{{Name: "app", Image: hostile, Command: []string{hostile}, Env: []corev1.EnvVar{{Name: hostile, Value: hostile}}}}},
	}, time.Minute)
	s.past.Add(pod.UID)
	add(s, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: hostile}, Spec: corev1.ServiceSpec{Selector: label, Ports: []corev1.ServicePort{{Name: hostile, Port: 80}}}}, time.Minute)
	add(s, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: hostile}, Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{Spec: pod.Spec}}}, time.Minute)
	add(s, &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "event"}, Reason: hostile, Message: hostile, Type: hostile, InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: hostile}}, time.Minute)
	x := open(t, s.link())
	paths := []string{"/ui/pods", "/ui/services", "/ui/events", "/ui/logs", "/ui/health", "/ui/simulate"}
	for _, link := range []string{"li.pod h3 a", "li.pod .do a", ".group .right a"} {
		if href := eval[string](x, fmt.Sprintf(`document.querySelector(%q)?.getAttribute("href") ?? ""`, link)); href != "" {
			paths = append(paths, href)
		}
	}
	for _, path := range paths {
		x.goTo(path)
		x.live()
		if !eval[bool](x, `document.body.textContent.includes("<img src=x") || [...document.querySelectorAll("option, [value]")].some((n) => (n.value ?? "").includes("<img src=x"))`) {
			t.Errorf("%s: the name is not shown", path)
		}
		if n := eval[int](x, `document.querySelectorAll("main img, main script, main a[href^='javascript']").length`); n > 0 || eval[string](x, "document.title") == "broken" {
			t.Errorf("%s: a name has become markup", path)
		}
	}
}

// TestForeignPage: a page of another origin can neither read nor change anything, though the
// browser is signed in.
func TestForeignPage(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret)
	x := open(t, s.link())
	x.until("the Pod is ready", ready)
	origin, path := eval[string](x, "location.origin"), eval[string](x, `document.querySelector("li.pod h3 a").getAttribute("href")`)
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<title>foreign</title>")
	}))
	defer foreign.Close()
	x.expect()
	x.do(chromedp.Navigate(foreign.URL))
	for name, script := range map[string]string{
		"a read":        fmt.Sprintf(`fetch(%q, {credentials: "include"}).then(() => "read", () => "refused")`, origin+"/ui/pods"),
		"a blind write": fmt.Sprintf(`fetch(%q, {method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams({do: "delete"})}).then(() => "refused", () => "refused")`, origin+path+"/do"),
		"a stream":      fmt.Sprintf(`new Promise((done) => { const s = new EventSource(%q, {withCredentials: true}); s.onopen = () => done("read"); s.onerror = () => { s.close(); done("refused"); }; })`, origin+"/ui/stream"),
	} {
		if got := eval[string](x, script); got != "refused" {
			t.Errorf("%s of a foreign page: %s", name, got)
		}
	}
	x.do(chromedp.Navigate(origin + path))
	x.until("the Pod is still there", `document.querySelector("#head .state")?.textContent.includes("Ready")`)
}

// TestForeignHost: a page of a name that was made to mean this machine gets nothing.
func TestForeignHost(t *testing.T) {
	s := newStage(t)
	x := open(t, s.link())
	x.live()
	x.expect()
	_, port, _ := strings.Cut(s.address, ":")
	for _, path := range []string{"/ui/pods", "/ui/stream", "/ui/?t=" + strings.Split(s.link(), "?t=")[1]} {
		x.do(chromedp.Navigate("http://" + reboundName + ":" + port + path))
		if got := eval[string](x, "document.body.innerText + document.cookie"); !strings.Contains(got, "the Host header has to be one of") {
			t.Errorf("%s answers a foreign name: %s", path, got)
		}
	}
	for _, said := range x.complaints() { // a foreign name is no secure context
		if !strings.Contains(said, "Cross-Origin-Opener-Policy") {
			t.Error(said)
		}
	}
}

// TestSignIn: a link lets in once and leaves no trace of its token; without one nobody is let in.
func TestSignIn(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret)
	link := s.link()
	x := open(t, link)
	x.live()
	x.until("the Pod is ready", ready)
	x.click("li.pod h3 a")
	x.until("the Pod's page is open", `document.querySelector("#attempts")`)
	for i, r := range x.asked() {
		referer := fmt.Sprint(r.Headers["Referer"])
		if token := strings.Contains(r.URL, "t=") && strings.Contains(r.URL, "/ui/?"); token != (i == 0) || strings.Contains(referer, "t=") {
			t.Errorf("request %d, %s, has the token, or the first one has none; its Referer is %s", i, r.URL, referer)
		}
	}
	if got := eval[string](x, `document.cookie + Object.values(localStorage) + Object.values(sessionStorage)`); got != "" && got != "on" {
		t.Errorf("scripts see %q", got)
	}
	if back := eval[string](x, `document.referrer + performance.getEntriesByType("navigation")[0].name`); strings.Contains(back, "t=") {
		t.Errorf("the history has the token: %s", back)
	}
	stranger := open(t, "about:blank", chromedp.WithNewBrowserContext())
	stranger.expect()
	stranger.do(chromedp.Navigate(link))
	if got := stranger.text("main"); !strings.Contains(got, "This link has been used already") {
		t.Errorf("a link that was used says %q", got)
	}
	stranger.goTo("/ui/pods")
	if got := stranger.text("main"); !strings.Contains(got, "not signed in") {
		t.Errorf("without a link the page says %q", got)
	}
	stranger.do(chromedp.Navigate(s.link()))
	stranger.live()
}

// TestPolicy: no page does anything that the policy refuses; if one did, it would be heard.
func TestPolicy(t *testing.T) {
	s := scene(t)
	x := open(t, "about:blank")
	s.still(x)
	x.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `globalThis.refused = []; addEventListener("securitypolicyviolation", (e) => refused.push(e.violatedDirective + " " + e.sourceFile + ":" + e.lineNumber));`})
		return err
	}))
	s.enter(x)
	for _, shot := range shots() {
		x.shoot(s, shot)
		eval[bool](x, `(document.querySelectorAll("details").forEach((d) => { d.open = true; }), document.querySelectorAll("[data-key], .seg button").forEach((b) => { if (b.tagName === "BUTTON") b.click(); }), true)`)
		if got := eval[[]string](x, "refused"); len(got) > 0 {
			t.Errorf("%s: the policy has refused %q", shot.name, got)
		}
	}
	for what, script := range map[string]string{
		"a style":   `(document.body.setAttribute("style", "color: red"), true)`,
		"markup":    `(() => { try { document.body.innerHTML = "x"; } catch {} return true; })()`,
		"a request": `fetch("http://127.0.0.1:1/").then(() => false, () => true)`,
	} {
		eval[bool](x, script)
		x.until("it is heard", "refused.length > 0")
		eval[bool](x, "(refused.length = 0, true)")
		if got := x.complaints(); len(got) == 0 {
			t.Errorf("the browser does not complain about %s", what)
		}
	}
}
