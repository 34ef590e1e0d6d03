//go:build prometheus

package prometheus

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/apiserver/credentials"
	"github.com/probity-run/probity/test/harness"
	"github.com/probity-run/probity/test/ports"
)

// TestScrape has a real Prometheus scrape a run as the how-to says, by the authority and the token
// of its state folder, and asks it what it got. promtool reads the same.
func TestScrape(t *testing.T) {
	t.Parallel()
	program(t, "prometheus")
	port := ports.Free(t)
	r := harness.StartWith(t, harness.Options{}, manifest(port))
	r.WaitPod("ready", harness.Ready)
	api, base := apiOf(t, r.StateDir())
	harness.WaitFor(t, "an answer of the Service", func() bool {
		_, ok := read(t, http.DefaultClient, fmt.Sprintf("http://127.0.0.1:%d/ready", port))
		return ok
	})
	for _, path := range []string{"/metrics", "/metrics/probes"} {
		text, _ := read(t, api, base+path)
		if !strings.Contains(text, `prober_probe_total{probe_type="Readiness",result="successful",container="app",pod="web"`) {
			t.Errorf("GET %s has no probes:\n%s", path, text)
		}
		promtool(t, text, "check", "metrics")
	}
	p := startPrometheus(t, r.StateDir(), base)
	for _, query := range []string{
		`up{job="probity"} == 1`,
		`up{job="without-token"} == 0`,
		`prober_probe_total{job="probity",probe_type="Readiness",result="successful",pod="web"} > 0`,
		`prober_probe_duration_seconds_count{pod="web"} > 0`,
		`kube_pod_container_status_ready{pod="web",container="app"} == 1`,
		`probity_proxy_requests_total{service="web",code="2xx"} > 0`,
		`histogram_quantile(0.99, probity_proxy_request_duration_seconds_bucket{service="web"}) > 0`,
		`apiserver_request_total{verb="GET",resource="",code="401"} > 0`,
		`process_resident_memory_bytes > 1e6`,
		`go_goroutines > 1`,
	} {
		harness.WaitFor(t, query, func() bool { return p.results(query) > 0 })
	}
	for _, expression := range expressions(t) {
		p.results(expression)
	}
	p.checkRules()
}

// manifest is a Pod that is ready soon, behind a Service at a port.
func manifest(port int) string {
	return strings.Replace(harness.Manifest("", harness.Ready1), "metadata: {name: web}", "metadata: {name: web, labels: {app: web}}", 1) + fmt.Sprintf(`---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: %d, targetPort: http}]}
`, port)
}

// apiOf is a client for the API of the run of a state folder.
func apiOf(t *testing.T, state string) (client *http.Client, base string) {
	t.Helper()
	root, err := os.OpenRoot(state)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	harness.WaitFor(t, "the API", func() bool {
		if client, base, err = credentials.Client(root); err != nil {
			return false
		}
		_, ok := read(t, client, base+"/readyz")
		return ok
	})
	return client, base
}

// read is what a URL answers, and whether that is 200.
func read(t *testing.T, client *http.Client, url string) (body string, ok bool) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return "", false
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err == nil && response.StatusCode == http.StatusOK
}

// server is a Prometheus.
type server struct {
	t    *testing.T
	base string
}

// startPrometheus starts one with the configuration of the how-to, and with a second job that has
// no token. It ends with the test.
func startPrometheus(t *testing.T, state, api string) *server {
	t.Helper()
	target := strings.TrimPrefix(api, "https://")
	alerts, err := filepath.Abs(filepath.Join(files, "rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer("STATE", state, "127.0.0.1:PORT", target, "docs/prometheus/rules.yaml", alerts, "interval: 5s", "interval: 1s").Replace(howTo(t))
	config += fmt.Sprintf(`
- job_name: without-token
  scheme: https
  tls_config: {ca_file: %s}
  static_configs: [{targets: [%q]}]
`, filepath.Join(state, "ca.crt"), target)
	dir := t.TempDir()
	path := filepath.Join(dir, "prometheus.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "config", path)
	at := "127.0.0.1:" + strconv.Itoa(ports.Free(t))
	cmd := exec.Command(program(t, "prometheus"), "--config.file="+path, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+at, "--log.level=warn")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended, which Wait tells
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("prometheus: %v\n%s", err, said.String())
		}
	})
	return &server{t, "http://" + at}
}

// howTo is the configuration that docs/how-to/scrape-with-prometheus.md tells.
func howTo(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/how-to/scrape-with-prometheus.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(page), "```yaml\n")
	config, _, closed := strings.Cut(after, "```")
	if !ok || !closed {
		t.Fatal("the how-to has no configuration")
	}
	return config
}

// results is how many series answer a query. A query that Prometheus refuses is an error; while it
// starts, there are none.
func (s *server) results(query string) int {
	s.t.Helper()
	var answer struct {
		Status, Error string
		Data          struct{ Result json.RawMessage }
	}
	if !s.get("/api/v1/query?query="+url.QueryEscape(query), &answer) {
		return 0
	}
	if answer.Status != "success" {
		s.t.Errorf("%s: %s", query, answer.Error)
		return 0
	}
	var series []any
	if err := json.Unmarshal(answer.Data.Result, &series); err != nil {
		s.t.Errorf("%s: %v", query, err)
	}
	return len(series)
}

// checkRules waits until each alert was evaluated and is well.
func (s *server) checkRules() {
	s.t.Helper()
	var bad []string
	harness.WaitFor(s.t, "rules that are well", func() bool {
		var answer struct {
			Data struct {
				Groups []struct {
					Rules []struct{ Name, Health, LastError string }
				}
			}
		}
		if !s.get("/api/v1/rules", &answer) || len(answer.Data.Groups) != 1 {
			return false
		}
		bad = nil
		for _, rule := range answer.Data.Groups[0].Rules {
			if rule.Health != "ok" {
				bad = append(bad, rule.Name+" "+rule.Health+" "+rule.LastError)
			}
		}
		return len(bad) == 0
	})
}

// get reads an answer of Prometheus, and reports whether there is one.
func (s *server) get(path string, into any) bool {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(s.base + path)
	if err != nil {
		return false // it does not listen yet
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusServiceUnavailable {
		return false // it is not ready yet
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		s.t.Errorf("%s: %v", path, err)
	}
	return true
}
