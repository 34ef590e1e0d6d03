package ci

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// buildStep is the name of the step of action.yml that builds probity.
const buildStep = "Build probity"

// built is the folder that this step has put into the PATH.
var built string

// TestMain builds probity as the action does, once for all tests. With the argument web the test
// binary is the program of a Pod.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "web" {
		web()
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "probity-ci-")
	if err == nil {
		defer os.RemoveAll(dir)
		built, err = build(context.Background(), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build runs the step that builds, with a folder for what it makes, and returns what it adds to the
// PATH of a job that had no Go before.
func build(ctx context.Context, dir string) (string, error) {
	a, err := readAction()
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(a.Runs.Steps, func(s step) bool { return s.Name == buildStep })
	if i < 0 {
		return "", fmt.Errorf("action.yml has no step %q", buildStep)
	}
	script, added := filepath.Join(dir, "script.sh"), filepath.Join(dir, "path")
	if err := os.WriteFile(script, []byte(a.Runs.Steps[i].Run), 0o644); err != nil {
		return "", err
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	cmd := bash(ctx, script)
	cmd.Dir = dir // the checkout of somebody else
	cmd.Env = append(os.Environ(), "GOWORK=", "RUNNER_TEMP="+dir, "GITHUB_ACTION_PATH="+root, "GITHUB_PATH="+added, "BEFORE=")
	for name, value := range a.Runs.Steps[i].Env {
		if name != "BEFORE" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the action cannot build probity: %w\n%s", err, out)
	}
	path, err := os.ReadFile(added)
	return strings.TrimSpace(string(path)), err
}

// web is the program of a Pod: it answers each request at $PORT.
func web() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: handler, ReadHeaderTimeout: time.Minute}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}
