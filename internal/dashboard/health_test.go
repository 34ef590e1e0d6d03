package dashboard

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

const webManifest = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: app
        ports: [{name: http, containerPort: 8080}]
        livenessProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 3} # ours
        readinessProbe: {httpGet: {path: /readyz, port: http}}
`

// deployment adds the Deployment of a file, which is one of the command line if given.
func (f *fixture) deployment(t *testing.T, given bool) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "app.yaml")
	if err := os.WriteFile(file, []byte(webManifest), 0o600); err != nil {
		t.Fatal(err)
	}
	if given {
		f.opts.Files = []string{file}
	}
	set, err := manifest.Load(manifest.Options{}, file)
	if err != nil {
		t.Fatal(err)
	}
	d := set.Objects[0].Resource.(*appsv1.Deployment)
	configuration, err := set.Objects[0].Configuration()
	if err != nil {
		t.Fatal(err)
	}
	d.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: configuration, manifest.AnnotationManifest: file}
	if _, err := registry.Create(f.opts.Registry, d); err != nil {
		t.Fatal(err)
	}
	return file
}

// webForm is what the form of the Deployment sends, with some fields changed; was. fields are what
// it was when the page was made.
func webForm(changes ...string) []string {
	all := []string{"kind", "deployment", "namespace", "default", "name", "web", "container", "app", "fault", "hang"}
	for _, prefix := range []string{"", "was."} {
		all = append(all, prefix+"livenessProbe.handler", "httpGet", prefix+"livenessProbe.httpGet.path", "/livez", prefix+"livenessProbe.httpGet.port", "http", prefix+"livenessProbe.periodSeconds", "3",
			prefix+"readinessProbe.handler", "httpGet", prefix+"readinessProbe.httpGet.path", "/readyz", prefix+"readinessProbe.httpGet.port", "http")
	}
	return append(all, changes...)
}

func (f *fixture) post(path string, values ...string) *httptest.ResponseRecorder {
	return f.ask(http.MethodPost, path, typed(values...))
}

func (f *fixture) liveness(t *testing.T) *corev1.Probe {
	t.Helper()
	d, err := store.Get[*appsv1.Deployment](f.opts.Store, "default", "web")
	if err != nil {
		t.Fatal(err)
	}
	return d.Spec.Template.Spec.Containers[0].LivenessProbe
}

// TestHealthPages: the list and the form have what runs, with its place in the file.
func TestHealthPages(t *testing.T) {
	f := newFixture(t)
	if body := f.ask(http.MethodGet, "/ui/health").Body.String(); !strings.Contains(body, "Nothing is run yet") {
		t.Errorf("an empty list: %s", body)
	}
	f.deployment(t, true)
	for path, want := range map[string][]string{
		"/ui/health": {"GET :http/livez", "every 3 s · timeout 1 s · 3 failures", "/ui/workloads/deployment/default/web/health"},
		"/ui/workloads/deployment/default/web/health": {"container app · from app.yaml, line 10", `value="/livez"`, "A hang is noticed after", "7–10 s", "svg", "Nothing to apply"},
		"/ui/new":      {"What is created", "kind: Service", "Create and follow"},
		"/ui/simulate": {"killed by liveness", "probity simulate /", "As text"},
		"/ui/simulate?workload=deployment/default/web&fault=&horizon=1m":        {"first ready"},
		"/ui/simulate?workload=deployment/default/web&fault=x&horizon=1m":       {"unknown fault"},
		"/ui/simulate?workload=deployment/default/web&horizon=400d":             {"at most 24h"},
		"/ui/simulate?workload=deployment/default/nothing&fault=hang%40%36%30s": {"no such workload"},
	} {
		w := f.ask(http.MethodGet, path)
		for _, x := range want {
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), x) {
				t.Errorf("%s: %d, without %q", path, w.Code, x)
			}
		}
		if strings.Contains(w.Body.String(), "style=") {
			t.Errorf("%s has a style of its own", path)
		}
	}
	for _, path := range []string{"/ui/workloads/deployment/default/other/health", "/ui/workloads/deployment/default/web/health?container=other"} {
		if w := f.ask(http.MethodGet, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// TestDraftAnswer: what is typed is judged and changes nothing.
func TestDraftAnswer(t *testing.T) {
	f := newFixture(t)
	f.deployment(t, true)
	w := f.post("/ui/draft", webForm("livenessProbe.initialDelaySeconds", "10", "livenessProbe.periodSeconds", "5", "livenessProbe.timeoutSeconds", "2",
		"livenessProbe.successThreshold", "3", "livenessProbe.failureThreshold", "2")...)
	for _, want := range []string{
		`data-field="livenessProbe.successThreshold"`, "successThreshold: Invalid value: 3: must be 1", "Fix 1 error to apply", "success-threshold-invalid", "7–12 s", "periodSeconds: 5",
	} {
		if !strings.Contains(strings.ReplaceAll(w.Body.String(), "<wbr>", ""), want) {
			t.Errorf("%d, without %q", w.Code, want)
		}
	}
	if f.liveness(t).PeriodSeconds != 3 {
		t.Error("a draft has changed the object")
	}
	if w := f.post("/ui/draft", webForm("many", "yes")...); !strings.Contains(w.Body.String(), "Restarts for nothing, 1 Pod, 30 days") {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	if w := f.post("/ui/draft", "kind", "deployment", "namespace", "default", "name", "gone"); w.Code != http.StatusNotFound {
		t.Errorf("of what is gone: %d", w.Code)
	}
}

// TestApply: probes are written as their form says, unless others have changed them meanwhile; what
// else they have changed stays.
func TestApply(t *testing.T) {
	f := newFixture(t)
	f.deployment(t, true)
	change := func(c func(*appsv1.Deployment)) {
		if _, err := store.Modify(f.opts.Store, "default", "web", func(d *appsv1.Deployment) error { c(d); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	change(func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(4)) })
	w := f.post("/ui/apply", webForm("livenessProbe.periodSeconds", "7")...)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "data-follow=\"/ui/workloads/deployment/default/web/rollout") || f.liveness(t).PeriodSeconds != 7 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	if d, _ := store.Get[*appsv1.Deployment](f.opts.Store, "default", "web"); *d.Spec.Replicas != 4 {
		t.Error("what somebody else has changed is lost")
	}
	w = f.post("/ui/apply", webForm("livenessProbe.periodSeconds", "9")...) // it was 3 when the page was made
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "liveness periodSeconds") || f.liveness(t).PeriodSeconds != 7 {
		t.Errorf("a conflict: %d: %s", w.Code, w.Body)
	}
	if w := f.post("/ui/apply", webForm("was.livenessProbe.periodSeconds", "7", "livenessProbe.successThreshold", "3")...); w.Code != http.StatusConflict || f.liveness(t).SuccessThreshold != 1 {
		t.Errorf("a draft with errors: %d: %s", w.Code, w.Body)
	}
	if w := f.post("/ui/apply", webForm("was.livenessProbe.periodSeconds", "7", "livenessProbe.handler", "")...); w.Code != http.StatusOK || f.liveness(t) != nil {
		t.Errorf("without the probe: %d: %s", w.Code, w.Body)
	}
}

// TestWriteFile: only files of the command line are written.
func TestWriteFile(t *testing.T) {
	for _, given := range []bool{true, false} {
		f := newFixture(t)
		file := f.deployment(t, given)
		if w := f.post("/ui/apply", webForm("livenessProbe.periodSeconds", "7")...); w.Code != http.StatusOK {
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
		w := f.post("/ui/write", webForm()...)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := webManifest
		if given {
			want = strings.Replace(want, "periodSeconds: 3} # ours", "periodSeconds: 7} # ours", 1)
		}
		if string(text) != want || (w.Code == http.StatusOK) != given {
			t.Errorf("given %v: %d, %s, the file has\n%s", given, w.Code, w.Body, text)
		}
	}
}

// TestCreate: a command becomes a Deployment and a Service; what is wrong stands at its field, and
// nothing is made.
func TestCreate(t *testing.T) {
	f := newFixture(t)
	service := func(changes ...string) []string {
		return append([]string{"new", "yes", "service-name", "made", "service-command", "./made -v", "service-port", "8080", "service-replicas", "2",
			"readinessProbe.handler", "httpGet", "readinessProbe.httpGet.path", "/readyz", "readinessProbe.httpGet.port", "http"}, changes...)
	}
	for field, value := range map[string]string{"service-name": "Made Here", "service-command": "'", "service-port": "70000", "service-replicas": "-1", "readinessProbe.periodSeconds": "-1"} {
		w := f.post("/ui/draft", service(field, value)...)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `data-field="`+field+`"`) {
			t.Errorf("%s %q: %d, no error at the field", field, value, w.Code)
		}
		if w := f.post("/ui/apply", service(field, value)...); w.Code != http.StatusConflict {
			t.Errorf("%s %q: %d, it is made", field, value, w.Code)
		}
	}
	if w := f.post("/ui/apply", service("service-command", "")...); w.Code != http.StatusConflict {
		t.Errorf("without a command: %d, it is made", w.Code)
	}
	if all, _ := store.List[*corev1.Service](f.opts.Store, store.Selector{}); len(all) > 0 {
		t.Errorf("there are Services: %v", all)
	}
	if w := f.post("/ui/apply", service()...); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `data-made="/ui/workloads/deployment/default/made/health"`) {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	d, err := store.Get[*appsv1.Deployment](f.opts.Store, "default", "made")
	if err != nil || *d.Spec.Replicas != 2 || d.Spec.Template.Annotations[manifest.AnnotationCommand+"made"] != "./made -v" || d.Spec.Template.Spec.Containers[0].ReadinessProbe == nil {
		t.Errorf("%v: %+v", err, d)
	}
	if _, err := store.Get[*corev1.Service](f.opts.Store, "default", "made"); err != nil {
		t.Error(err)
	}
}

// TestHostileForm: what is typed, and what a manifest says, is text on these pages too.
func TestHostileForm(t *testing.T) {
	f := newFixture(t)
	f.deployment(t, true)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"a path":    f.post("/ui/draft", webForm("livenessProbe.httpGet.path", hostile)...),
		"a number":  f.post("/ui/draft", webForm("livenessProbe.periodSeconds", hostile)...),
		"a service": f.post("/ui/draft", "new", "yes", "service-name", hostile, "service-command", hostile, "service-port", hostile),
		"a fault":   f.ask(http.MethodGet, "/ui/simulate?fault=%3Cimg%20src%3Dx%3E"),
	} {
		if body := w.Body.String(); strings.Contains(body, "<img") || strings.ContainsAny(body, "\u202e\x1b") {
			t.Errorf("%s: %d, hostile text is obeyed", name, w.Code)
		}
	}
}

// TestRollout: it is over when kubectl rollout status would say so, and no sooner.
func TestRollout(t *testing.T) {
	stuck := appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Message: "it has timed out progressing"}
	for name, test := range map[string]struct {
		paused bool
		status appsv1.DeploymentStatus
		want   string
	}{
		"nobody has seen it":  {false, appsv1.DeploymentStatus{UpdatedReplicas: 1, Replicas: 1, AvailableReplicas: 1}, ""},
		"none is updated":     {false, appsv1.DeploymentStatus{ObservedGeneration: 9, Replicas: 1, AvailableReplicas: 1}, ""},
		"an old one is there": {false, appsv1.DeploymentStatus{ObservedGeneration: 9, UpdatedReplicas: 1, Replicas: 2, AvailableReplicas: 2}, ""},
		"it is not available": {false, appsv1.DeploymentStatus{ObservedGeneration: 9, UpdatedReplicas: 1, Replicas: 1}, ""},
		"done":                {false, appsv1.DeploymentStatus{ObservedGeneration: 9, UpdatedReplicas: 1, Replicas: 1, AvailableReplicas: 1}, "over"},
		"stuck":               {false, appsv1.DeploymentStatus{ObservedGeneration: 9, Conditions: []appsv1.DeploymentCondition{stuck}}, "failed"},
		"paused":              {true, appsv1.DeploymentStatus{ObservedGeneration: 9}, "over"},
		"stuck the last time": {false, appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{stuck}}, ""},
	} {
		f := newFixture(t)
		f.deployment(t, true)
		if _, err := store.Modify(f.opts.Store, "default", "web", func(d *appsv1.Deployment) error { d.Status, d.Spec.Paused = test.status, test.paused; return nil }); err != nil {
			t.Fatal(err)
		}
		w := f.ask(http.MethodGet, "/ui/workloads/deployment/default/web/rollout")
		want := `data-rollout="` + test.want + `"`
		if test.want == "" {
			want = "data-rollout>"
		}
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d: %s, want %s", name, w.Code, w.Body, want)
		}
	}
}
