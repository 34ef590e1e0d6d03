package measure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/tune"
)

func TestMain(m *testing.M) {
	if process.IsShepherd(os.Args) {
		os.Exit(process.ShepherdMain())
	}
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		serve()
	case len(os.Args) == 3 && os.Args[1] == "database":
		database(os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == "client":
		client(os.Args[2])
	}
	os.Exit(m.Run())
}

// serve is the service that is measured. Its liveness endpoint is slow, its readiness endpoint says
// no, for ever.
func serve() {
	http.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) { time.Sleep(300 * time.Millisecond) })
	http.HandleFunc("/no", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
	os.Exit(1)
}

// database is there once its file is.
func database(file string) {
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}

// client is a service that is ready if there is a database.
func client(file string) {
	http.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if _, err := os.Stat(file); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
	os.Exit(1)
}

const manifestText = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {probity.run/command.server: '%s serve'}
    spec:
      containers:
      - name: server
        image: registry.example/web
        resources: {limits: {cpu: 500m}}
        ports: [{name: http, containerPort: 8080}]
        startupProbe: {httpGet: {path: '/slow?start', port: http}, failureThreshold: 1}
        readinessProbe: {httpGet: {path: /no, port: http}, failureThreshold: 1}
        livenessProbe: {httpGet: {path: /slow, port: 8080}, periodSeconds: 1, failureThreshold: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
`

// TestMeasure measures a service whose own probes would never let it up. What is asserted holds on
// a machine of any speed.
func TestMeasure(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "app.yaml")
	text := strings.Replace(manifestText, "%s", strings.ReplaceAll(printable.Shell(program), "'", "''"), 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Measure(t.Context(), Options{
		Manifests: []string{file}, StateDir: filepath.Join(dir, "state"), For: 2 * time.Second, Requests: []Request{{Method: "GET", Path: "/slow"}}, Notice: func(line string) { t.Log(line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	c := s.Find("deployment/web", "server")
	if c == nil || len(s.Containers) != 1 || len(s.Manifest) != 64 {
		t.Fatalf("series %+v", s)
	}
	starts := map[tune.How]int{}
	for _, start := range c.Starts {
		starts[start.How]++
	}
	if starts[tune.Alone] < 1 || starts[tune.Together] != 3 || starts[tune.Limited] != 3 {
		t.Errorf("starts %+v: one at least alone, three together and three at the CPU limit are wanted (%q)", starts, s.Skipped)
	}
	for _, start := range c.Starts {
		if start.Seconds < 0.3 {
			t.Errorf("a start took %v s, and its first answer alone 0.3", start.Seconds)
		}
	}
	for _, probe := range []string{"startup", "readiness", "liveness"} {
		e := c.Endpoint(probe)
		if e == nil || len(e.Windows) != 2 || e.Windows[0].Load != "" || e.Windows[1].Load != "20/s GET /slow" {
			t.Fatalf("%s: %+v", probe, e)
		}
		for _, w := range e.Windows {
			if w.Samples == 0 || probe == "readiness" && w.Latency.Count() > 0 {
				t.Errorf("%s: %d samples, %d good answers", probe, w.Samples, w.Latency.Count())
			}
		}
	}
}

const needyText = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {probity.run/command.server: '%[1]s client %[2]s'}
    spec:
      containers:
      - name: server
        image: registry.example/web
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /readyz, port: http}}
---
apiVersion: v1
kind: Pod
metadata:
  name: migrate
  annotations: {probity.run/command.migrate: /bin/true, probity.run/after: db}
spec: {restartPolicy: Never, containers: [{name: migrate, image: registry.example/migrate}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata:
      labels: {app: db}
      annotations: {probity.run/command.db: '%[1]s database %[2]s'}
    spec: {containers: [{name: db, image: registry.example/db}]}
`

// TestMeasureWithOthers measures a service that is ready only with another one that stands later in
// the file; a Pod between them comes after that and ends.
func TestMeasureWithOthers(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "app.yaml")
	quoted := func(word string) string { return strings.ReplaceAll(printable.Shell(word), "'", "''") }
	if err := os.WriteFile(file, fmt.Appendf(nil, needyText, quoted(program), quoted(filepath.Join(dir, "database"))), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // else it would be ten
	defer cancel()
	s, err := Measure(ctx, Options{Manifests: []string{file}, StateDir: filepath.Join(dir, "state"), For: time.Second, Notice: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Find("deployment/web", "server"); c == nil || len(c.Starts) < 1+atOnce || len(s.Containers) != 1 {
		t.Errorf("series %+v, want starts of web alone and several at once", s)
	}
}

const sidecarText = `
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations: {probity.run/command.once: /bin/true, probity.run/command.proxy: '%[1]s serve', probity.run/command.server: '%[1]s database %[2]s'}
spec:
  initContainers:
  - {name: once, image: registry.example/once}
  - name: proxy
    image: registry.example/proxy
    restartPolicy: Always
    ports: [{name: admin, containerPort: 9901}]
    livenessProbe: {httpGet: {path: /slow, port: admin}}
  containers: [{name: server, image: registry.example/web}]
`

// TestMeasureSidecar measures a sidecar that has a probe, and is the only one.
func TestMeasureSidecar(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "app.yaml")
	quoted := func(word string) string { return strings.ReplaceAll(printable.Shell(word), "'", "''") }
	if err := os.WriteFile(file, fmt.Appendf(nil, sidecarText, quoted(program), quoted(filepath.Join(dir, "there"))), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Measure(t.Context(), Options{Manifests: []string{file}, StateDir: filepath.Join(dir, "state"), For: time.Second, Notice: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	c := s.Find("pod/web", "proxy")
	if c == nil || len(s.Containers) != 1 || len(c.Starts) < 1+atOnce {
		t.Fatalf("series %+v, want starts of the sidecar alone and several at once", s)
	}
	if e := c.Endpoint("liveness"); e == nil || len(e.Windows) != 2 || e.Windows[0].Samples == 0 {
		t.Errorf("liveness: %+v", e)
	}
}

// TestMeasureStopped: who stops a measurement keeps what was measured until then.
func TestMeasureStopped(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "app.yaml")
	text := strings.Replace(manifestText, "%s", strings.ReplaceAll(printable.Shell(program), "'", "''"), 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s, err := Measure(ctx, Options{
		Manifests: []string{file}, StateDir: filepath.Join(dir, "state"), For: 16 * time.Second,
		Notice: func(line string) {
			if t.Log(line); strings.HasPrefix(line, "answers, 20/s") { // the idle window of 4 s is done
				time.AfterFunc(2*time.Second, stop)
			}
		},
	})
	if !errors.Is(err, context.Canceled) || s == nil {
		t.Fatalf("got %v (%v), want a series and that it was stopped", s, err)
	}
	c := s.Find("deployment/web", "server")
	if c == nil || len(c.Starts) < 1 || c.Endpoint("liveness") == nil {
		t.Fatalf("nothing is kept: %+v", s)
	}
	for _, w := range c.Endpoint("liveness").Windows[1:] {
		if w.Seconds >= 12 || w.Samples == 0 {
			t.Errorf("the second window has %v s and %d samples", w.Seconds, w.Samples)
		}
	}
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := tune.Read(&b); err != nil {
		t.Error(err)
	}
}

// TestNamesOfSubjects: workloads of one name in two namespaces are two in a series, which is read
// again.
func TestNamesOfSubjects(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.yaml")
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web%s}\nspec: {containers: [{name: server, image: registry.example/web, livenessProbe: {tcpSocket: {port: 80}}}]}\n"
	if err := os.WriteFile(file, fmt.Appendf(nil, pod+"---\n"+pod, "", ", namespace: shop"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := manifest.Load(manifest.Options{}, file)
	if err != nil {
		t.Fatal(err)
	}
	m := &measurement{series: &tune.Series{}}
	if err := m.findSubjects(set); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range m.subjects {
		names = append(names, s.measured[0].Workload)
	}
	if want := []string{"pod/web", "shop/pod/web"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func TestParseRequest(t *testing.T) {
	for text, want := range map[string]Request{
		"GET /":                         {"GET", "/", ""},
		"/results":                      {"GET", "/results", ""},
		`POST /compute {"x": [1, 2]}`:   {"POST", "/compute", `{"x": [1, 2]}`},
		" DELETE  /results/7?soft=true": {"DELETE", "/results/7?soft=true", ""},
	} {
		if got, err := ParseRequest(text); err != nil || got != want {
			t.Errorf("%q is %+v (%v), want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "GET", "GET results", "G T /x\ny", "POST http://elsewhere.example/", "get /", "GE\nT /"} {
		if got, err := ParseRequest(text); err == nil {
			t.Errorf("%q is %+v, want an error", text, got)
		}
	}
}

// TestMeasureTrouble: what will not come up is said at once, and not waited for.
func TestMeasureTrouble(t *testing.T) {
	for name, c := range map[string]struct{ command, want string }{
		"ends":     {"/bin/false", "has ended with code 1"},
		"no such":  {"/nosuch/program", "/nosuch/program"},
		"no probe": {"/bin/true", "no container of a Pod"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "app.yaml")
			text := strings.Replace(manifestText, "%s serve", c.command, 1)
			if name == "no probe" {
				text = strings.NewReplacer("startupProbe", "#", "readinessProbe", "#", "livenessProbe", "#").Replace(text)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Measure(t.Context(), Options{Manifests: []string{file}, StateDir: filepath.Join(dir, "state"), For: time.Second})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
