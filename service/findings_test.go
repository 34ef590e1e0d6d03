package service_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/probity-run/probity/service"
)

// doomed has a probe whose program cannot be there, and a port that is asked and not declared.
func doomed() service.Service {
	return service.Service{
		Name: "web", Image: service.Image{ImageURI: "web:1", Command: []string{"./web"}}, Ports: []service.Port{{Port: 8000}},
		LivenessProbe:  &service.HealthProbe{Config: service.HttpProbe{Path: "/", Port: 8501}},
		ReadinessProbe: &service.HealthProbe{Config: service.CommandProbe{Command: []string{"curl -f localhost:8000"}}},
	}
}

// An outage is refused before anybody is asked, with the paths of the service.
func TestDeployFindings(t *testing.T) {
	var told []string
	target := service.Target{Run: t.TempDir(), Progress: func(line string) { told = append(told, line) }}
	_, err := doomed().Deploy(t.Context(), target)
	_, isRefused := errors.AsType[*service.RefusedError](err)
	found, isFound := errors.AsType[*service.FindingsError](err)
	if !isRefused || !isFound || len(found.Findings) != 1 || !strings.Contains(err.Error(), "nothing was sent") {
		t.Fatalf("got %T: %v", err, err)
	}
	if f := found.Findings[0]; f.Rule != "exec-without-shell" || f.Severity != "outage" || f.Field != "readiness_probe.config.command" {
		t.Errorf("found %+v", f)
	}
	if !slices.ContainsFunc(told, func(l string) bool { return strings.HasSuffix(l, "(probe-port-undeclared)") }) {
		t.Errorf("told %q", told)
	}
	target.SkipCheck = true
	if _, err := doomed().Deploy(t.Context(), target); !strings.Contains(err.Error(), "cannot read the kubeconfig") {
		t.Errorf("without a look: %v", err)
	}
}

// A writer takes what probity render prints, and what was found is there beside it.
func TestWriteFindings(t *testing.T) {
	deployment, err := doomed().Deploy(t.Context(), service.Target{Writer: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	all, err := doomed().Findings()
	if err != nil || len(all) < 2 || !slices.Equal(deployment.Findings, all) {
		t.Errorf("got %v, want %v (%v)", deployment.Findings, all, err)
	}
	if _, err := (service.Service{}).Findings(); err == nil {
		t.Error("an empty service is judged")
	}
}
