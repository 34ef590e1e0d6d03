package service_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/service"
)

// seed is the worked example of TrueFoundry's page about probes.
func seed() service.Service {
	return service.Service{
		Name:  "my-service",
		Image: service.Build{BuildSpec: service.DockerFileBuild{}},
		Ports: []service.Port{{Host: "your_host", Port: 8501}},
		LivenessProbe: &service.HealthProbe{
			Config:              service.HttpProbe{Path: "/livez", Port: 8000},
			InitialDelaySeconds: 0,
			PeriodSeconds:       10,
			TimeoutSeconds:      1,
			SuccessThreshold:    1,
			FailureThreshold:    3,
		},
		ReadinessProbe: &service.HealthProbe{
			Config:        service.HttpProbe{Path: "/readyz", Port: 8000},
			PeriodSeconds: 5,
		},
		WorkspaceFQN: "cluster:shop",
	}
}

// The seed in Go becomes what the seed in YAML does.
func TestSeed(t *testing.T) {
	data, err := os.ReadFile("testdata/cases/services.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name    string           `yaml:"name"`
		Objects []map[string]any `yaml:"objects"`
	}
	if err := yaml.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	deployment, err := seed().Deploy(t.Context(), service.Target{Writer: &text})
	if err != nil {
		t.Fatal(err)
	}
	defer deployment.Close()
	got := map[string]map[string]any{}
	for document := range strings.SplitSeq(text.String(), "\n---\n") {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		got[object["kind"].(string)] = object
	}
	// a zero is a default in Go, so it is not written there
	delete(livenessOf(t, cases[1].Objects[0]), "initialDelaySeconds")
	for _, object := range cases[1].Objects {
		if diff := cmp.Diff(object, got[object["kind"].(string)]); diff != "" {
			t.Errorf("-YAML +Go:\n%s", diff)
		}
	}
	want := []service.Note{{Field: "ports[0].host", Message: "it belongs to an ingress: here the Service's port is reached directly, and so do probes", NotApplied: true}}
	if diff := cmp.Diff(want, deployment.Notes); diff != "" {
		t.Errorf("notes: -want +got:\n%s", diff)
	}
	if err := deployment.Wait(t.Context(), service.WaitOptions{}); err != nil {
		t.Error(err)
	}
}

func livenessOf(t *testing.T, deployment map[string]any) map[string]any {
	t.Helper()
	var value any = deployment
	for _, step := range []string{"spec", "template", "spec", "containers", "", "livenessProbe"} {
		if list, ok := value.([]any); ok {
			value = list[0]
			continue
		}
		value = value.(map[string]any)[step]
	}
	return value.(map[string]any)
}

// The table of the page, as liveness and as readiness.
func TestTableOfThePage(t *testing.T) {
	table := &service.HealthProbe{Config: service.HttpProbe{Path: "/health", Port: 8080}, InitialDelaySeconds: 10, PeriodSeconds: 5, TimeoutSeconds: 2, SuccessThreshold: 3, FailureThreshold: 2}
	s := seed()
	s.LivenessProbe, s.ReadinessProbe = nil, table
	if _, err := s.Validate(); err != nil {
		t.Errorf("as readiness: %v", err)
	}
	s.LivenessProbe = table
	_, err := s.Deploy(t.Context(), service.Target{Kubeconfig: "none: nothing is sent"})
	invalid, ok := errors.AsType[*service.InvalidError](err)
	if !ok || len(invalid.Fields) != 1 || invalid.Fields[0].Field != "liveness_probe.success_threshold" || !strings.HasPrefix(invalid.Fields[0].Message, "must be 1: ") {
		t.Errorf("as liveness: %v", err)
	}
}

func TestInvalid(t *testing.T) {
	s := service.Service{Name: "web", LivenessProbe: &service.HealthProbe{}, Ports: []service.Port{{Port: 80000}}}
	_, err := s.Validate()
	field, ok := errors.AsType[*service.FieldError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	if field.Field != "image" {
		t.Errorf("the first error is %v", field)
	}
	for _, part := range []string{"nothing was sent", "liveness_probe.config: missing"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in\n%v", part, err)
		}
	}
	if _, err := (service.Service{}).Validate(); err == nil {
		t.Error("an empty service is valid")
	}
}

// Texts that YAML would take for something else stay texts.
func TestTexts(t *testing.T) {
	for _, value := range []string{"yes", "Off", "8080", "1e3", "0x1F", "~", "null", "", " a", "a: b", "a\nb", "'", "- a", "#", "1_000", ".5", "=", "<<", "2001-01-01", "\t", "é"} {
		s := seed()
		s.Env = map[string]string{"VALUE": value}
		var out strings.Builder
		if _, err := s.Deploy(t.Context(), service.Target{Writer: &out}); err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		_, text, _ := strings.Cut(out.String(), "kind: Deployment")
		var deployment struct {
			Spec struct {
				Template struct {
					Spec struct {
						Containers []struct {
							Env []struct{ Name, Value string }
						}
					}
				}
			}
		}
		if err := yaml.Unmarshal([]byte(text), &deployment); err != nil {
			t.Fatal(err)
		}
		if got := deployment.Spec.Template.Spec.Containers[0].Env[0].Value; got != value {
			t.Errorf("%q becomes %q", value, got)
		}
	}
}

// Nobody to deploy to is an error of its own, which says what was asked.
func TestUnreachable(t *testing.T) {
	silent := t.TempDir()
	const kubeconfig = `{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}],
  clusters: [{name: a, cluster: {server: "http://127.0.0.1:1"}}], users: [{name: a}]}`
	if err := os.WriteFile(filepath.Join(silent, "kubeconfig"), []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	s := service.Service{Name: "web", Image: service.Image{ImageURI: "web:1", Command: []string{"./web"}}}
	for folder, want := range map[string]string{t.TempDir(): "cannot read the kubeconfig", silent: "connection refused"} {
		_, err := s.Deploy(t.Context(), service.Target{Run: folder})
		if unreachable, ok := errors.AsType[*service.UnreachableError](err); !ok || !strings.Contains(unreachable.Error(), want) {
			t.Errorf("got %T %v, want %s", err, err, want)
		}
	}
}

// What no document has is left out.
func TestNoDocument(t *testing.T) {
	s := service.Service{Name: "web", Image: service.Image{ImageURI: "web:1"}, Kustomize: map[string]any{"patch": func() {}, "c": 1i, "additions": []any{make(chan int)}}}
	text, err := s.YAML()
	if want := "kustomize:\n  additions: []\n"; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("got %s, %v", text, err)
	}
}
