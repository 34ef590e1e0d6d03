package browser

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const sidecars = `---
apiVersion: v1
kind: Pod
metadata: {name: pair}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: app
    command: [PROGRAM]
    env: [{name: PROBITY_TEST_SERVICE, value: calm}]
    ports: [{containerPort: 8080}]
    livenessProbe: {httpGet: {path: /livez, port: 8080}, periodSeconds: 1}
  - name: other
    image: other
    command: [PROGRAM]
    env: [{name: PROBITY_TEST_SERVICE, value: calm}]
    ports: [{containerPort: 8081}]
`

// TestLooks makes pictures of the pages of this file, on demand, for people to look at:
//
//	PROBITY_LOOK=/tmp/pictures GOWORK=off go test -run Looks .
func TestLooks(t *testing.T) {
	dir := os.Getenv("PROBITY_LOOK")
	if dir == "" {
		t.Skip("PROBITY_LOOK does not say where to")
	}
	s := startServer(t, deployment("web", "calm", 2)+secret+sidecars)
	x := open(t, s.link())
	x.until("the Pod is ready", ready)
	pages := map[string]string{"pods": "/ui/pods", "past": "/ui/pods?until=1700000000", "pod": "/ui/pods/default/pair", "log": "/ui/logs?pod=default/pair&container=app&stream=stdout&probes=on", "new": "/ui/new", "podhealth": "/ui/workloads/pod/default/pair/health", "health": healthPage}
	for name, path := range pages {
		x.goTo(path)
		x.live()
		for _, width := range []int64{360, 1024, 1600} {
			for _, light := range []string{"light", "dark"} {
				x.do(theme(light), chromedp.EmulateViewport(width, 900))
				if name == "pod" {
					eval[bool](x, `(document.getElementById("yaml").open = true)`)
				}
				png, err := chromedp.Run(x.ctx, chromedp.FullScreenshot(100))
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, light)), png, 0o644)
				}
				if err != nil {
					t.Fatal(err)
				}
				if over := eval[int](x, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s at %d: %d pixels too wide", name, width, over)
				}
			}
		}
	}
}

// patch changes the Deployment as kubectl does, under a field manager of its own.
func (s *server) patch(body string) {
	s.t.Helper()
	kubeconfig, err := os.ReadFile(filepath.Join(s.state, "kubeconfig"))
	if err != nil {
		s.t.Fatal(err)
	}
	after := func(key string) string {
		_, rest, _ := strings.Cut(string(kubeconfig), key+": ")
		value, _, _ := strings.Cut(rest, "\n")
		return strings.Trim(value, `"`)
	}
	request, err := http.NewRequest(http.MethodPatch, after("server")+"/apis/apps/v1/namespaces/default/deployments/web?fieldManager=kubectl-edit", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/strategic-merge-patch+json")
	request.Header.Set("Authorization", "Bearer "+after("token"))
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		s.t.Fatalf("the patch: %s: %s", response.Status, text)
	}
}

// TestOwnersConflict: what kubectl owns is a conflict also if the page knows what it has written;
// whose it is stands there.
func TestOwnersConflict(t *testing.T) {
	s, x := openHealth(t)
	s.patch(`{"spec":{"template":{"spec":{"containers":[{"name":"app","livenessProbe":{"timeoutSeconds":4}}]}}}}`)
	x.goTo(healthPage)
	x.until("the first answer is there", answered(1))
	x.set("livenessProbe.timeoutSeconds", "2")
	x.expect() // a conflict is an answer that the browser notes
	x.click("#apply")
	x.until("it says whose it is", `document.querySelector("#done table")?.textContent.includes("livenessProbe.timeoutSecondskubectl-edit42")`)
	picture(x, "form-owners.png")
	x.key(kb.Enter) // the button to insist has the focus
	x.until("it is applied now", `document.querySelector("#done [data-rollout]")`)
	x.until("the rollout is over", `document.querySelector("#done [data-rollout=over]")`)
}

// TestPodIsReplaced: of a bare Pod the API server's refusal is shown, and another one made of it.
func TestPodIsReplaced(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret+sidecars)
	x := open(t, s.link())
	x.until("the Pod is ready", ready)
	x.goTo("/ui/workloads/pod/default/pair/health")
	x.until("the first answer is there", answered(1))
	x.set("livenessProbe.periodSeconds", "3")
	x.expect() // a refusal is an answer that the browser notes
	x.click("#apply")
	x.until("the API server's words are there", `document.querySelector("#done")?.textContent.includes("pod updates may not change fields other than")`)
	picture(x, "form-pod.png")
	x.key(kb.Enter) // the button has the focus
	x.until("the new one is ready", `document.querySelector("#done [data-rollout=over]")`)
	x.goTo("/ui/pods/default/pair")
	x.until("it has the new number", `document.getElementById("probes").textContent.includes("every 3 s")`)
}

// TestOneContainer: by keyboard alone one container of a Pod is restarted, and the other is not.
func TestOneContainer(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret+sidecars)
	x := open(t, s.link())
	x.until("the Pod is ready", ready)
	x.goTo("/ui/pods/default/pair")
	x.live()
	x.key("r")
	x.until("it asks which one", `document.activeElement?.hasAttribute("data-sure") && document.querySelector(".question select[name=container]")`)
	eval[bool](x, `(document.querySelector(".question select").focus(), true)`)
	x.key("o") // the one that begins with it
	x.until("it is chosen", `document.querySelector(".question select").value === "other"`)
	eval[bool](x, `(document.querySelector(".question [data-sure]").focus(), true)`)
	x.key(kb.Enter)
	x.until("it was started again", `document.getElementById("history").textContent.includes("Instance 2 of other started")`)
	if strings.Contains(x.text("#history"), "Instance 2 of app") {
		t.Error("the other container was restarted as well")
	}
}

// TestKeysOfTime: [ and ] go through time, and / goes to a Pod from a page without a filter.
func TestKeysOfTime(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret)
	x := open(t, s.link())
	x.until("the Pod is ready", ready)
	x.live()
	x.key("[")
	x.until("an earlier time is shown", `location.search.includes("until=") && document.querySelector("#pods[data-past]")`)
	x.key("]")
	x.until("it is now again", `location.search === "" && document.getElementById("axis-end")?.textContent === "now"`)
	x.goTo("/ui/services")
	x.live()
	x.key("/")
	x.until("it asks where to", `document.activeElement?.id === "find-q"`)
	x.key(kb.Backspace, "l", "o", "g", "s") // the character comes apart from the key here, and is not held back with it
	x.until("what is typed was found", `document.querySelector("#found a")?.textContent === "Logs"`)
	x.key(kb.Enter)
	x.until("that page is open", `location.pathname === "/ui/logs"`)
}

// TestLineIsLinked: the time of a line leads to it, also in another tab; a walk through matches
// puts the match into the address.
func TestLineIsLinked(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret)
	x := open(t, s.link())
	x.until("the Pod is ready", ready)
	pod := eval[string](x, `document.querySelector("li.pod h3 a").textContent`)
	x.goTo("/ui/logs?pod=default/" + pod)
	const line = `[...document.querySelectorAll(".shown > div")].find((d) => d.textContent.includes("line 3 of"))`
	x.until("there are lines", line)
	link := eval[string](x, line+`.querySelector("a").getAttribute("href")`)
	x.goTo("/ui/logs?pod=default/" + pod + link)
	x.until("the line is marked", `document.querySelector(".shown .found")?.textContent.includes("line 3 of")`)
	x.goTo("/ui/logs?pod=default/" + pod + "&x=1#t=1")
	x.until("a line that is not there is said to be none", `document.getElementById("log-state").textContent.includes("that line is not loaded, or not kept any more")`)
	if eval[bool](x, `document.querySelector(".shown .found") !== null`) {
		t.Error("another line is marked in its place")
	}
	x.goTo("/ui/logs?pod=default/" + pod + "&q=line+4+of&stream=stdout")
	x.until("the match is there", `document.querySelector(".shown mark")`)
	x.key("n")
	x.until("it is in the address", `location.hash.startsWith("#t=") && document.querySelector(".shown .found")`)
}

// TestRefusalsAreReported: what the policy refuses is reported to the run, which takes it.
func TestRefusalsAreReported(t *testing.T) {
	s := startServer(t, deployment("web", "calm", 1)+secret)
	x := open(t, s.link())
	x.until("the Pod is ready", ready)
	var status atomic.Int64
	err := chromedp.Listen(x.ctx, func(event any) {
		if e, ok := event.(*network.EventResponseReceived); ok && strings.HasSuffix(e.Response.URL, "/ui/report") {
			status.Store(e.Response.Status)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	eval[bool](x, `(document.body.setAttribute("style", "color: red"), true)`)
	for end := time.Now().Add(timeout); status.Load() == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no report within %v", timeout)
		}
	}
	if got := status.Load(); got != http.StatusNoContent {
		t.Errorf("the report is answered with %d", got)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.problems = slices.DeleteFunc(x.problems, func(said string) bool { return strings.Contains(said, "inline style") })
}
