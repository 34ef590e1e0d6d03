package ci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// action is what action.yml has.
type action struct {
	Inputs  map[string]struct{ Default string }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

// step is one of them: a script, or another action.
type step struct {
	Name, ID, If, Shell, Run, Uses string
	Env, With                      map[string]string
}

// readAction reads action.yml.
func readAction() (a action, err error) {
	data, err := os.ReadFile("../../action.yml")
	if err != nil {
		return action{}, err
	}
	err = yaml.Unmarshal(data, &a)
	return a, err
}

// bash runs a script as GitHub's runner does.
func bash(ctx context.Context, script string) *exec.Cmd {
	return exec.CommandContext(ctx, "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script)
}

// job is a job of GitHub's that has one step, the action. It is run by the rules of GitHub's
// runner: one bash a step, files for what steps tell each other, commands in what they print.
type job struct {
	workspace, temp string
	path, printed   string
	values          contexts
	failed          bool
	exitCode        int
	// commands are what GitHub obeyed, in their order.
	commands []string
	// used are the other actions that were called, with what they got.
	used map[string]map[string]string
	// outputs are those of the action.
	outputs map[string]string
	summary string
}

func newJob(t *testing.T, files map[string]string) *job {
	t.Helper()
	j := &job{workspace: t.TempDir(), temp: t.TempDir(), path: os.Getenv("PATH"), used: map[string]map[string]string{}, outputs: map[string]string{}}
	for name, text := range files {
		file := filepath.Join(j.workspace, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// play runs the action with inputs.
func (j *job) play(t *testing.T, inputs map[string]string) {
	t.Helper()
	a, err := readAction()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	j.values = contexts{"github.action_path": root, "runner.temp": j.temp}
	if err := os.Mkdir(filepath.Join(j.temp, "probity"), 0o755); err != nil { // as the step that builds does
		t.Fatal(err)
	}
	for name, input := range a.Inputs {
		j.values["inputs."+name] = input.Default
	}
	for name, value := range inputs {
		if _, ok := a.Inputs[name]; !ok {
			t.Fatalf("the action has no input %s", name)
		}
		j.values["inputs."+name] = value
	}
	for _, s := range a.Runs.Steps {
		if s.Name == buildStep { // TestMain has run it
			j.path = built + string(os.PathListSeparator) + j.path
			continue
		}
		j.step(t, s)
	}
	for name, output := range a.Outputs {
		j.outputs[name] = j.expand(t, output.Value)
	}
}

func (j *job) expand(t *testing.T, text string) string {
	t.Helper()
	expanded, err := j.values.expand(text)
	if err != nil {
		t.Fatal(err)
	}
	return expanded
}

// step runs one step, if its condition holds.
func (j *job) step(t *testing.T, s step) {
	t.Helper()
	maps.Copy(j.values, contexts{"success()": fmt.Sprint(!j.failed), "failure()": fmt.Sprint(j.failed), "always()": "true", "cancelled()": "false"})
	holds := !j.failed
	if s.If != "" {
		holds = truth(j.expand(t, s.If)) && (holds || strings.Contains(s.If, "()"))
	}
	switch {
	case !holds:
	case s.Uses != "":
		with := map[string]string{}
		for name, value := range s.With {
			with[name] = j.expand(t, value)
		}
		name, _, _ := strings.Cut(s.Uses, "@")
		j.used[name] = with
	default:
		j.script(t, s)
	}
}

// script runs the script of a step.
func (j *job) script(t *testing.T, s step) {
	t.Helper()
	if s.Shell != "bash" || strings.Contains(s.Run, "${{") {
		t.Fatalf("%s: a script is of bash, and has no expression that could become a part of it", s.Name)
	}
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	files := map[string]string{"GITHUB_OUTPUT": file("output", ""), "GITHUB_PATH": file("path", ""), "GITHUB_STEP_SUMMARY": file("summary", "")}
	cmd := bash(t.Context(), file("script.sh", s.Run))
	cmd.Dir = j.workspace
	cmd.Env = append(os.Environ(), "PATH="+j.path, "RUNNER_TEMP="+j.temp, "GITHUB_WORKSPACE="+j.workspace, "GITHUB_ACTION_PATH="+j.values["github.action_path"],
		"GITHUB_ACTIONS=true", "CI=true")
	for name, path := range files {
		cmd.Env = append(cmd.Env, name+"="+path)
	}
	for name, value := range s.Env {
		cmd.Env = append(cmd.Env, name+"="+j.expand(t, value))
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		j.failed, j.exitCode = true, cmd.ProcessState.ExitCode()
	}
	j.printed += out.String()
	j.commands = append(j.commands, obeyed(out.String())...)
	read := func(name string) string {
		data, err := os.ReadFile(files[name])
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for line := range strings.Lines(read("GITHUB_PATH")) {
		j.path = strings.TrimSpace(line) + string(os.PathListSeparator) + j.path
	}
	for line := range strings.Lines(read("GITHUB_OUTPUT")) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\n"), "=")
		if !ok {
			t.Fatalf("%s: no output: %q", s.Name, line)
		}
		j.values["steps."+s.ID+".outputs."+name] = value
	}
	j.summary += read("GITHUB_STEP_SUMMARY")
}

// obeyed are the commands that GitHub's runner finds in what a step has printed: "::name …::text",
// blanks before it left out, and "##[name]text" at any place, unless they are stopped.
func obeyed(printed string) (commands []string) {
	resume := ""
	for line := range strings.Lines(printed) {
		line = strings.TrimSpace(line)
		token, stops := strings.CutPrefix(line, "::stop-commands::")
		switch {
		case resume != "" && line == "::"+resume+"::":
			resume = ""
		case resume != "":
		case stops:
			resume = token
		case strings.HasPrefix(line, "::") || strings.Contains(line, "##["):
			commands = append(commands, line)
		}
	}
	return commands
}

func TestObeyed(t *testing.T) {
	got := obeyed("a\n ::error::b\n::stop-commands::x\n::error::c\n##[error]d\n::x::\ne ##[error]f\n")
	if want := "::error::b, e ##[error]f"; strings.Join(got, ", ") != want {
		t.Errorf("obeyed %q, want %q", got, want)
	}
}
