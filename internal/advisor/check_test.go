package advisor_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/advisortest"
	"github.com/probity-run/probity/internal/advisor/rules"
)

const (
	service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
	pod     = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec: {containers: [{name: app, image: web}]}\n"
)

// write makes files below a new folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// found lists "rule Kind" of what is not accepted.
func found(m *advisor.Manifests) []string {
	var list []string
	for _, f := range advisor.Check(m, rules.All()) {
		if f.Suppressed == "" {
			list = append(list, f.Rule+" "+f.Object.Kind)
		}
	}
	return list
}

// Objects in different files belong together, whatever the order and whatever else lies in the
// folder.
func TestReadFolder(t *testing.T) {
	folder := write(t, map[string]string{
		"a/deploy/web.yaml": pod, "a/svc.yml": service, "a/deploy/more.json": `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}`,
		"a/values.yaml": "replicas: 3\nlist: [1]\n", "a/compose.yaml": "services: {}\n", "a/crd.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {}\n",
		"a/empty.yaml": "# nothing\n", ".git/x.yaml": "a: [", "a/notes.txt": "a: [",
	})
	m, err := advisor.Read(nil, nil, folder)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"readiness-missing Pod"}, found(m)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// In a tree of examples that all call their pods web, a Service means its neighbours.
func TestNearestWorkload(t *testing.T) {
	folder := write(t, map[string]string{"one/all.yaml": pod + "---\n" + service, "two/pod.yaml": pod})
	m, err := advisor.Read(nil, nil, folder)
	if err != nil {
		t.Fatal(err)
	}
	findings := advisor.Check(m, rules.All())
	if len(findings) != 1 || !strings.HasSuffix(findings[0].Region.File, "one/all.yaml") {
		t.Errorf("found %v", findings)
	}
}

func TestReadErrors(t *testing.T) {
	folder := write(t, map[string]string{"bad.yaml": "a: [\n", "empty.yaml": "", "good.yaml": pod + "---\n" + service, "none/x.txt": "", "values.yaml": "a: 1\n",
		"off.yaml": "version: '3'\nservices:\n  web: {image: web, profiles: [later]}\n"})
	for name, c := range map[string]struct {
		path string
		want string
	}{
		"not there":     {"gone.yaml", "gone.yaml: cannot read: no such file"},
		"not YAML":      {"bad.yaml", "bad.yaml:1:1: not valid YAML"},
		"empty":         {"empty.yaml", "nothing in it"},
		"no object":     {"values.yaml", "nothing in it: expected at least one Kubernetes object"},
		"left out":      {"off.yaml", "off.yaml:3:3: service web: left out: its profile later is not active"},
		"nothing there": {"none", "no manifest in this folder"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := advisor.Read(nil, nil, filepath.Join(folder, c.path), filepath.Join(folder, "good.yaml"))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want one line with %q", err, c.want)
			}
			if len(m.Workloads) != 1 {
				t.Errorf("%d workloads beside the error, want 1", len(m.Workloads))
			}
		})
	}
	m, err := advisor.Read(strings.NewReader("include: [other.yaml]\nservices: {web: {image: web}}\n"), nil, "-")
	if err != nil || !strings.Contains(m.Set("<stdin>").Invalid.Error(), "include[0]: cannot read other.yaml") {
		t.Errorf("a file that cannot be included: %v", err)
	}
	if _, err := advisor.Read(bytes.NewReader(bytes.Repeat([]byte("a"), 50<<20)), nil, "-"); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("50 MB: %v", err)
	}
	if _, err := advisor.Read(nil, nil, "-"); err == nil || !strings.Contains(err.Error(), "no standard input") {
		t.Errorf("no stdin: %v", err)
	}
}

// Lists, JSON, byte order marks and old API versions are all read, and places are right in them.
func TestReadForms(t *testing.T) {
	const probe = "livenessProbe: {tcpSocket: {port: misnamed}}"
	for name, text := range map[string]string{
		"list":        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: a, " + probe + "}]}}\n",
		"JSON":        `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": "ä", "livenessProbe": {"tcpSocket": {"port": "misnamed"}}}]}}`,
		"BOM":         "\ufeff{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: a, " + probe + "}]}}",
		"old version": "# ä\napiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      containers:\n      - {name: a, image: a, " + probe + "}\n",
		"merge key":   "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a\n    <<: {" + probe + "}\n",
	} {
		t.Run(name, func(t *testing.T) {
			m, err := advisortest.Parse("a.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			findings := slices.DeleteFunc(advisor.Check(m, rules.All()), func(f advisor.Finding) bool {
				return f.Rule == advisor.ManifestInvalid && f.Field == "apiVersion"
			})
			if len(findings) != 1 {
				t.Fatalf("found %v", findings)
			}
			r := findings[0].Region
			line := []rune(strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")[r.Line-1])
			if token := strings.Trim(string(line[r.Column-1:r.EndColumn-1]), `"`); token != "misnamed" || r.EndLine != r.Line {
				t.Errorf("the region holds %q", token)
			}
		})
	}
}

func TestBaseline(t *testing.T) {
	m, err := advisortest.Parse("a.yaml", []byte(pod+"---\n"+service))
	if err != nil {
		t.Fatal(err)
	}
	first := advisor.NewReport(m, rules.All(), nil)
	var file bytes.Buffer
	if err := advisor.NewBaseline(first.Findings).Write(&file); err != nil {
		t.Fatal(err)
	}
	baseline, err := advisor.ReadBaseline(&file)
	if err != nil {
		t.Fatal(err)
	}
	// The same object in another place is known; a second one of that kind is not.
	m, err = advisortest.Parse("b.yaml", []byte("# moved\n"+service+"---\n"+pod+"---\n"+strings.Replace(pod, "name: web", "name: web2", 1)))
	if err != nil {
		t.Fatal(err)
	}
	second := advisor.NewReport(m, rules.All(), baseline)
	if len(first.Findings) != 1 || len(second.Known) != 1 || len(second.Findings) != 1 || second.Findings[0].Object.Name != "web2" {
		t.Errorf("first %v, then known %v, new %v", first.Findings, second.Known, second.Findings)
	}
	if second.Worst() != advisor.Risk {
		t.Errorf("worst is %v", second.Worst())
	}
	for _, text := range []string{"", "{", `{"version": 9, "findings": []}`, `{"version": 1, "rules": []}`} {
		if _, err := advisor.ReadBaseline(strings.NewReader(text)); err == nil {
			t.Errorf("%q was taken for a baseline", text)
		}
	}
}

func TestSuppressionOnService(t *testing.T) {
	text := pod[:strings.Index(pod, "image")] + "image: web, ports: [{name: http, containerPort: 80}], readinessProbe: {httpGet: {port: http}}}]}\n---\n" +
		strings.NewReplacer("port: 80", "port: 80, targetPort: x", "{name: web}", "{name: web, annotations: {probity.run/ignore.service-target-port-missing: made later}}").Replace(service)
	m, err := advisortest.Parse("a.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	report := advisor.NewReport(m, rules.All(), nil)
	if len(report.Findings) != 0 || len(report.Accepted) != 1 || report.Accepted[0].Suppressed != "made later" {
		t.Errorf("findings %v, accepted %v", report.Findings, report.Accepted)
	}
}

func FuzzCheck(f *testing.F) {
	files, err := filepath.Glob("rules/*/testdata/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("kind: Deployment\napiVersion: apps/v1\nspec: {template: {spec: {containers: [~, {lifecycle: {preStop: {exec: {}}}}], initContainers: [{restartPolicy: Always}]}}}"))
	f.Add([]byte("kind: ReplicationController\napiVersion: v1\n---\nkind: HorizontalPodAutoscaler\napiVersion: autoscaling/v2\n---\nkind: CronJob\napiVersion: batch/v1\nspec: {jobTemplate: 1}"))
	all := rules.All()
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := advisortest.Parse("a.yaml", text)
		if err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Error("an error without words")
		}
		for _, finding := range advisor.Check(m, all) {
			if r := finding.Region; r.File != "a.yaml" || r.Line < 1 || r.Column < 1 || r.EndColumn <= r.Column || finding.Message == "" || finding.Rule == "" || finding.Severity == 0 {
				t.Errorf("a finding without a place or words: %+v", finding)
			}
		}
	})
}

// BenchmarkCheck is 500 manifests of an application with three probes and a Service: read, decoded,
// judged.
func BenchmarkCheck(b *testing.B) {
	text, err := os.ReadFile("rules/startupbudget/testdata/sound.yaml")
	if err != nil {
		b.Fatal(err)
	}
	docs := strings.SplitN(string(text), "\n---\n", 3)
	folder := b.TempDir()
	for i := range 500 {
		name := "app" + strings.Repeat("x", i%7) + string(rune('a'+i%26))
		one := strings.ReplaceAll(docs[0]+"\n---\n"+docs[1]+"\n", "agrees", name)
		if err := os.WriteFile(filepath.Join(folder, name+strings.Repeat("y", i/182)+".yaml"), []byte(one), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	all := rules.All()
	b.ReportAllocs()
	for b.Loop() {
		m, err := advisor.Read(nil, nil, folder)
		if err != nil {
			b.Fatal(err)
		}
		advisor.Check(m, all)
	}
}
