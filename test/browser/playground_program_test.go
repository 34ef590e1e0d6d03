package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	internal "github.com/probity-run/probity/internal/playground"
)

// bare is a page with nothing but the program, to be asked directly.
const bare = `<!doctype html><title>program</title><script src="wasm_exec.js"></script><script>
const go = new Go();
fetch("probity.wasm.gz").then((r) => new Response(r.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer()).then((b) => WebAssembly.instantiate(b, go.importObject)).then(({instance}) => { go.run(instance); window.started = true; });
</script>`

// TestPlaygroundIsTheCommandLine: for each manifest with which a rule is tested that finds
// something, the program in the browser answers byte for byte what it answers as a native one,
// about findings, health checks and a fault; and its findings are those of probity check, line by
// line.
func TestPlaygroundIsTheCommandLine(t *testing.T) {
	files, err := filepath.Glob("../../internal/advisor/rules/*/testdata/bad*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("there are only %d manifests", len(files))
	}
	x := open(t, program(t))
	x.until("the program runs", "window.started && window.probityAnswer")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, ask := range []string{"check", "read", "simulate"} {
			question := url.Values{"ask": {ask}, "text": {string(data)}, "simulated-fault": {"hang@60s"}, "horizon": {"3m"}, "w": {"640"}}.Encode()
			want, err := internal.Answer(question)
			if err != nil {
				t.Fatal(err)
			}
			got := eval[string](x, fmt.Sprintf(`probityAnswer(%q).page`, question))
			if got != string(want) {
				t.Errorf("%s: to %s the browser answers\n%s\nand a native program\n%s", file, ask, got, want)
			}
			if ask == "check" {
				sameFindings(t, file, got)
			}
		}
	}
}

// program serves the bare page and returns its address.
func program(t *testing.T) string {
	t.Helper()
	folder, err := site()
	if err != nil {
		t.Fatal(err)
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /bare", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, bare) })
	mux.HandleFunc("GET /favicon.ico", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("GET /wasm_exec.js", http.FileServer(http.Dir(filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm"))))
	mux.Handle("GET /", http.FileServer(http.Dir(filepath.Join(folder, "playground"))))
	host := httptest.NewServer(mux)
	t.Cleanup(host.Close)
	return host.URL + "/bare"
}

// shown is a finding as the page has it.
var shown = regexp.MustCompile(`data-line="(\d+)" data-severity="(\w+)">line \d+</a> <b>([\w-]+)</b>`)

// sameFindings fails unless a page has the findings of probity check.
func sameFindings(t *testing.T, file, page string) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	check := exec.Command(filepath.Join(folder, "probity"), "check", "-o", "json", "-")
	check.Stdin = in
	out, err := check.Output() // findings make its exit code 1
	var report struct {
		Findings []struct {
			Rule, Severity string
			Line           int
		}
	}
	if jsonErr := json.Unmarshal(out, &report); jsonErr != nil {
		t.Fatalf("%s: probity check: %v, %v", file, err, jsonErr)
	}
	var want, got []string
	for _, f := range report.Findings {
		want = append(want, fmt.Sprint(f.Line, f.Severity, f.Rule))
	}
	for _, m := range shown.FindAllStringSubmatch(page, -1) {
		got = append(got, fmt.Sprint(m[1], m[2], m[3]))
	}
	if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); strings.ReplaceAll(a, " ", "") != strings.ReplaceAll(b, " ", "") {
		t.Errorf("%s: the page has\n%s\nand probity check\n%s", file, a, b)
	}
}
