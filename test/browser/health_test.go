package browser

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const healthPage = "/ui/workloads/deployment/default/web/health?probe=livenessProbe"

// openHealth opens the health checks of a Deployment of one replica that is ready.
func openHealth(t *testing.T) (*server, *tab) {
	t.Helper()
	s := startServer(t, "# ours\n"+deployment("web", "calm", 1)+secret)
	x := open(t, s.link())
	x.until("the Pod is ready", ready)
	x.goTo(healthPage)
	x.until("the first answer is there", answered(1))
	return s, x
}

// answered is that the page shows the answer to a draft.
func answered(number int) string {
	return fmt.Sprintf(`Number(document.getElementById("health")?.dataset.shown) >= %d`, number)
}

// field is the selector of a field.
func field(name string) string { return "#f-" + strings.ReplaceAll(name, ".", "-") }

// set types a value into a field, in place of the one that is there, and waits for the answer.
func (x *tab) set(name, value string) {
	x.t.Helper()
	before := eval[int](x, `Number(document.getElementById("health").dataset.shown)`)
	eval[bool](x, fmt.Sprintf(`(document.querySelector(%q).select(), true)`, field(name)))
	x.do(chromedp.SendKeys(field(name), value))
	x.until("the draft is answered", answered(before+1)+fmt.Sprintf(` && document.querySelector(%q).value === %q`, field(name), value))
}

// TestProbeIsEdited: the simulated timeline and the facts follow what is typed; what is applied is
// rolled out before one's eyes; then it is undone.
func TestProbeIsEdited(t *testing.T) {
	_, x := openHealth(t)
	side := `[...document.querySelectorAll("#what > .pane")].find((p) => p.querySelector("h2")?.firstChild.textContent === "Draft")`
	picture := side + `.querySelector("svg").innerHTML`
	before := eval[string](x, picture)
	x.set("livenessProbe.periodSeconds", "7")
	if eval[string](x, picture) == before {
		t.Error("the timeline of the draft is the one that it was")
	}
	if facts := x.text("#what .facts"); !strings.Contains(facts, "15–22 s") {
		t.Errorf("the facts do not follow: %s", facts)
	}
	if diff := x.text("#changes .diff .add"); diff != "+           periodSeconds: 7" {
		t.Errorf("the difference is %q", diff)
	}
	x.click("#apply")
	x.until("the rollout is over", `document.querySelector("#done [data-rollout=over]")`)
	x.until("there is nothing more to apply", `document.getElementById("chip").textContent === "As it runs"`)
	if v := eval[string](x, fmt.Sprintf(`document.querySelector(%q).value`, field("livenessProbe.periodSeconds"))); v != "7" {
		t.Errorf("the field has %q", v)
	}
	x.click("#undo")
	x.until("the old number is back", fmt.Sprintf(`document.querySelector(%q).value === "1"`, field("livenessProbe.periodSeconds")))
	x.until("that is rolled out too", `document.querySelector("#done [data-rollout=over]") && document.getElementById("chip").textContent === "As it runs"`)
}

// TestTheSeedsNumbers: 10, 5, 2, 3, 2 as liveness are refused in the API server's words, at the
// field, and cannot be applied.
func TestTheSeedsNumbers(t *testing.T) {
	_, x := openHealth(t)
	for name, value := range map[string]string{"initialDelaySeconds": "10", "periodSeconds": "5", "timeoutSeconds": "2", "successThreshold": "3", "failureThreshold": "2"} {
		x.set("livenessProbe."+name, value)
	}
	const want = "spec.template.spec.containers[0].livenessProbe.successThreshold: Invalid value: 3: must be 1"
	if got := x.text(field("livenessProbe.successThreshold") + "-e"); got != want {
		t.Errorf("at the field stands %q, want %q", got, want)
	}
	if !eval[bool](x, fmt.Sprintf(`document.querySelector(%q).getAttribute("aria-invalid") === "true" && document.getElementById("apply").getAttribute("aria-disabled") === "true"`, field("livenessProbe.successThreshold"))) {
		t.Error("the field is not marked, or the draft can be applied")
	}
	if why := x.text("#why-not"); why != "Fix 1 error to apply" {
		t.Errorf("the button says %q", why)
	}
	if n := x.text(`[data-probe="livenessProbe"]`); n != "Liveness" || eval[string](x, `document.querySelector('[data-probe="livenessProbe"]').dataset.errors`) != "1" {
		t.Errorf("the tab %q does not say how many errors it has", n)
	}
	picture(x, "form-refused.png")
	x.click("#apply")
	if done := x.text("#done"); done != "" {
		t.Errorf("it was applied all the same: %s", done)
	}
	x.set("livenessProbe.successThreshold", "1")
	x.until("it can be applied", `document.getElementById("apply").getAttribute("aria-disabled") === "false"`)
}

// TestConflict: what kubectl has changed meanwhile is shown, and nothing is applied before somebody
// has decided.
func TestConflict(t *testing.T) {
	s, x := openHealth(t)
	x.set("livenessProbe.periodSeconds", "7")
	file := filepath.Join(s.dir, "app.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "livenessProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 1}", "livenessProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 4}", 1)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(filepath.Join(folder, "probity"), "apply", "--state-dir", s.state, file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	x.expect() // a conflict is an answer that the browser notes
	x.click("#apply")
	x.until("it says what was changed", `document.querySelector("#done table")?.textContent.includes("liveness periodSeconds14")`)
	picture(x, "form-conflict.png")
	x.until("the bodies that are sent are noted", `(window.sent = [], XMLHttpRequest.prototype.send = ((send) => function (body) { window.sent.push(String(body)); send.call(this, body); })(XMLHttpRequest.prototype.send), true)`)
	x.click("#done [data-mine]")
	x.until("it is applied now", `document.querySelector("#done [data-rollout]")`)
	if eval[bool](x, `window.sent.length === 0 || window.sent.some((body) => /(^|&)force=/.test(body))`) {
		t.Error("what belongs to others is taken from them, though none was shown")
	}
	x.until("the rollout is over", `document.querySelector("#done [data-rollout=over]")`)
}

// TestFileIsWritten: what the file says otherwise is said, and an extra click writes it there,
// where comments stay.
func TestFileIsWritten(t *testing.T) {
	s, x := openHealth(t)
	x.set("livenessProbe.periodSeconds", "7")
	x.click("#apply")
	x.until("the file says otherwise", `document.getElementById("file").textContent.includes("app.yaml still says liveness periodSeconds: 1")`)
	x.click("#write")
	x.until("it is written", `document.getElementById("file").textContent.includes("Written to app.yaml")`)
	text, err := os.ReadFile(filepath.Join(s.dir, "app.yaml"))
	if err != nil || !strings.HasPrefix(string(text), "# ours\n") || !strings.Contains(string(text), "livenessProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 7}") {
		t.Errorf("%v: the file has\n%s", err, text)
	}
}

// TestFormByKeyboard: a probe is chosen, changed and applied without a mouse.
func TestFormByKeyboard(t *testing.T) {
	_, x := openHealth(t)
	x.key("g", "h")
	x.until("the list is open", `document.querySelector("table.health")`)
	x.live()
	for range 40 {
		x.key(kb.Tab)
		if eval[bool](x, `document.activeElement.getAttribute("aria-label") === "Edit the readiness probe of web"`) {
			break
		}
	}
	x.key(kb.Enter)
	x.until("the form is open", answered(1))
	for range 40 {
		x.key(kb.Tab)
		if eval[bool](x, `document.activeElement.name === "readinessProbe.periodSeconds"`) {
			break
		}
	}
	x.key(kb.End, kb.Backspace, "3")
	x.until("the draft has it", `document.querySelector("#changes .diff .add")?.textContent.includes("periodSeconds: 3")`)
	if !eval[bool](x, `document.activeElement.name === "readinessProbe.periodSeconds"`) {
		t.Error("the answer has taken the focus away")
	}
	x.key(kb.Enter)
	x.until("the rollout is over", `document.querySelector("#done [data-rollout=over]")`)
}

// TestNewService: a command becomes a service with health checks.
func TestNewService(t *testing.T) {
	_, x := openHealth(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	x.goTo("/ui/new")
	x.until("the first answer is there", answered(1))
	x.set("service-name", "Made Here")
	if got := x.text("#f-service-name-e"); !strings.Contains(got, "metadata.name: Invalid value") {
		t.Errorf("the name is not refused: %q", got)
	}
	x.set("service-name", "made")
	x.set("service-command", "env PROBITY_TEST_SERVICE=calm "+self)
	x.click("#apply")
	x.until("its page is open", `document.querySelector("h1")?.textContent === "Health checks of made"`)
	x.goTo("/ui/pods?q=made")
	x.until("its Pod is ready", ready)
}

// TestSimulation: a fault of the command line is drawn, and what cannot be read is said.
func TestSimulation(t *testing.T) {
	_, x := openHealth(t)
	x.goTo("/ui/simulate?workload=deployment/default/web&fault=hang@30s&horizon=2m")
	x.until("the picture is there", `document.querySelectorAll("#picture svg.timeline .s-late").length > 0`)
	if line := x.text("#command"); !strings.HasPrefix(line, "probity simulate app.yaml ") || !strings.Contains(line, "--fault hang@30s,workload=deployment/web --horizon 2m") {
		t.Errorf("the command line is %q", line)
	}
	x.do(chromedp.SetValue("#simulated-fault", "nonsense"), chromedp.Click("form.simulate button"))
	x.until("it says what is wrong", `document.querySelector("#picture .bad")?.textContent.includes("unknown fault")`)
}
