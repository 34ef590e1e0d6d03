package service_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/probity-run/probity/probitytest"
	"github.com/probity-run/probity/service"
)

// play makes the test binary a service.
const play = "PROBITY_SERVICE_PLAY"

func TestMain(m *testing.M) {
	if os.Getenv(play) != "" {
		answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getenv("TOKEN")) }
		fmt.Fprintln(os.Stderr, http.ListenAndServe(":"+os.Getenv("PORT"), http.HandlerFunc(answer)))
		os.Exit(1)
	}
	os.Exit(probitytest.Main(m))
}

// A service is brought to a run that was started with a file of TrueFoundry's, and comes up there;
// the secret that it refers to has the value that was given.
func TestDeployToRun(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "web.yaml")
	const text = "name: web\ntype: service\nimage: {type: build, build_spec: {type: dockerfile}}\nports: [{port: 8000}]\nenv: {" + play + ": '1'}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	run := probitytest.Options{Commands: map[string]string{"web": self}}.Run(t, file)

	s := service.Service{
		Name: "api", Image: service.Image{ImageURI: "api:1", Command: []string{self}}, Ports: []service.Port{{Port: 8100}},
		Env:            map[string]string{play: "1", "TOKEN": "tfy-secret://tenant:shop:token"},
		ReadinessProbe: &service.HealthProbe{Config: service.HttpProbe{Path: "/readyz", Port: 8100}, PeriodSeconds: 1},
	}
	target := service.Target{Run: filepath.Dir(run.Kubeconfig())}
	if _, err := s.Deploy(t.Context(), target); !isAsked(err) {
		t.Errorf("without a value: %v", err)
	}
	var told []string
	target.Env, target.Progress = map[string]string{"TOKEN": "hunter2", "TOKNE": "a slip"}, func(line string) { told = append(told, line) }
	elsewhere := s
	elsewhere.WorkspaceFQN = "local:absent"
	_, err = elsewhere.Deploy(t.Context(), target)
	if refused, ok := errors.AsType[*service.RefusedError](err); !ok || !strings.Contains(refused.Error(), `namespaces "absent" not found`) {
		t.Errorf("a namespace that is not there: %v", err)
	}
	deployment, err := s.Deploy(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	defer deployment.Close()
	if want := []string{"secret/api.shop created", "service/api created", "deployment/api created"}; !slices.Equal(deployment.Applied, want) {
		t.Errorf("applied %q", deployment.Applied)
	}
	if image := "not applied here: spec.template.spec.containers[0].image"; !strings.Contains(strings.Join(told, "\n"), image) || strings.Contains(strings.Join(told, "\n"), "resources") {
		t.Errorf("what nobody wrote is warned of, or what was written is not: %q", told)
	}
	if !slices.Contains(told, "warning: env: nothing refers to the value TOKNE of Target.Env, did you mean TOKEN?") {
		t.Errorf("nobody says that a value is not used: %q", told)
	}
	var progress []string
	if err := deployment.Wait(t.Context(), service.WaitOptions{Progress: func(line string) { progress = append(progress, line) }}); err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(progress, "\n"))
	}
	if len(progress) == 0 || !strings.HasPrefix(progress[len(progress)-1], "up: deployment/api 1 of 1") {
		t.Errorf("progress is %q", progress)
	}
	response, err := http.Get(run.URL("api"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "hunter2" {
		t.Errorf("the service answers %q, %v", body, err)
	}
}

// isAsked reports whether an error asks for the value of a secret.
func isAsked(err error) bool {
	field, ok := errors.AsType[*service.FieldError](err)
	return ok && field.Field == "env.TOKEN" && strings.Contains(field.Message, "--env TOKEN=VALUE")
}
