package ci

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rhysd/actionlint"
)

const (
	// fragile has a finding of the severity risk in line 8, wasteful one of the severity waste.
	fragile = `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: web
    image: web
    livenessProbe: {exec: {command: [alive]}, failureThreshold: 1}
    readinessProbe: {exec: {command: [ready]}}
`
	wasteful = `apiVersion: v1
kind: Pod
metadata: {name: slow}
spec:
  containers:
  - name: slow
    image: slow
    readinessProbe: {exec: {command: [ready]}, timeoutSeconds: 11}
`
	upload = "github/codeql-action/upload-sarif"
	// release is the version that the how-tos name.
	release = "v0.3.0"
)

// heads are commands without their messages and without columns.
func heads(commands []string) (all []string) {
	for _, command := range commands {
		head, _, _ := strings.Cut(strings.TrimPrefix(command, "::"), "::")
		name, properties, _ := strings.Cut(head, " ")
		kept := []string{name}
		for property := range strings.SplitSeq(properties, ",") {
			if strings.HasPrefix(property, "file=") || strings.HasPrefix(property, "line=") {
				kept = append(kept, property)
			}
		}
		all = append(all, strings.Join(kept, " "))
	}
	return all
}

// TestAction: what the action says and with what it ends, by what it is given.
func TestAction(t *testing.T) {
	for name, tt := range map[string]struct {
		files    map[string]string
		inputs   map[string]string
		exitCode int
		commands []string
		findings string
		uploads  bool
		summary  string // a part of it
	}{
		"nothing wrong": {
			files: map[string]string{"app.yaml": strings.Replace(wasteful, ", timeoutSeconds: 11", "", 1)}, findings: "0",
		},
		"a risk fails the job, and is uploaded all the same": {
			files:    map[string]string{"deploy/app.yaml": fragile, ".github/workflows/x.yaml": "on: push\n"},
			inputs:   map[string]string{"upload-sarif": "true"},
			exitCode: 1, commands: []string{"error file=deploy/app.yaml line=8"}, findings: "1", uploads: true,
		},
		"what is accepted is not uploaded": {
			files: map[string]string{
				"deploy/app.yaml": fragile,
				"deploy/old.yaml": strings.Replace(fragile, "metadata: {", "metadata: {annotations: {probity.run/ignore.liveness-threshold-too-low: it restarts quickly}, ", 1),
			},
			inputs:   map[string]string{"upload-sarif": "true"},
			exitCode: 1, commands: []string{"error file=deploy/app.yaml line=8"}, findings: "1", uploads: true,
		},
		"a waste does not": {
			files:    map[string]string{"app.yaml": wasteful},
			commands: []string{"warning file=app.yaml line=8"}, findings: "1",
		},
		"unless that is asked for": {
			files:    map[string]string{"app.yaml": wasteful},
			inputs:   map[string]string{"fail-on": "waste"},
			exitCode: 1, commands: []string{"warning file=app.yaml line=8"}, findings: "1",
		},
		"several files, names with blanks": {
			files:    map[string]string{"a b.yaml": fragile, "c/d.yaml": wasteful, "e.yaml": fragile},
			inputs:   map[string]string{"files": "a b.yaml\nc\n"},
			exitCode: 1, commands: []string{"error file=a b.yaml line=8", "warning file=c/d.yaml line=8"}, findings: "2",
		},
		"arguments": {
			files:    map[string]string{"a.yaml": fragile, "b.yaml": wasteful, "c.yaml": fragile},
			inputs:   map[string]string{"arguments": "--exclude=a.yaml\n--exclude=c.*\n"},
			commands: []string{"warning file=b.yaml line=8"}, findings: "1",
		},
		"no such file": {
			inputs:   map[string]string{"files": "nothing.yaml", "upload-sarif": "true"},
			exitCode: 2, commands: []string{"error"}, summary: "    probity: nothing.yaml: cannot read: no such file or directory\n",
		},
		"one that cannot be read, beside others": {
			files:    map[string]string{"100%.yaml": strings.Replace(fragile, "{name: web}", "{name: web", 1), "app.yaml": fragile},
			inputs:   map[string]string{"files": "100%.yaml\napp.yaml\ngone.yaml", "upload-sarif": "true"},
			exitCode: 2, commands: []string{"error file=app.yaml line=8", "error", "error file=100%25.yaml line=3"}, summary: "    100%.yaml:3:1: not valid YAML",
		},
		"a severity that there is not": {
			files:    map[string]string{"app.yaml": wasteful},
			inputs:   map[string]string{"fail-on": "error"},
			exitCode: 2, commands: []string{"error"}, summary: "    probity: there is no severity",
		},
		"what is no name of a file is not run": {
			inputs:   map[string]string{"files": "$(touch hacked)\n\"; touch hacked #\n`touch hacked`", "arguments": "--exclude=$(touch hacked)"},
			exitCode: 2, commands: []string{"error", "error", "error"}, summary: "    `touch hacked`: cannot read",
		},
		"a drill comes only after a check": {
			files:    map[string]string{"app.yaml": fragile},
			inputs:   map[string]string{"drill": "app.yaml"},
			exitCode: 1, commands: []string{"error file=app.yaml line=8"}, findings: "1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJob(t, tt.files)
			j.play(t, tt.inputs)
			if j.exitCode != tt.exitCode {
				t.Errorf("exit code %d, want %d; it printed\n%s", j.exitCode, tt.exitCode, j.printed)
			}
			if diff := cmp.Diff(tt.commands, heads(j.commands)); diff != "" {
				t.Errorf("annotations (-want +got):\n%s\nit printed\n%s", diff, j.printed)
			}
			if got := j.outputs["findings"]; got != tt.findings {
				t.Errorf("%q findings, want %q", got, tt.findings)
			}
			if got := j.outputs["drill-report"]; got != "" {
				t.Errorf("there was a drill: %s", got)
			}
			if _, err := os.Stat(filepath.Join(j.workspace, "hacked")); err == nil {
				t.Error("an input was run")
			}
			if with, ok := j.used["actions/setup-go"]; !ok {
				t.Error("Go was not set up")
			} else if _, err := os.Stat(with["go-version-file"]); err != nil {
				t.Error(err)
			}
			with, uploaded := j.used[upload]
			if uploaded != tt.uploads {
				t.Errorf("uploaded: %t, want %t", uploaded, tt.uploads)
			}
			if uploaded {
				checkSARIF(t, with["sarif_file"])
			}
			if !strings.HasPrefix(j.summary, "### probity check: ") || !strings.Contains(j.summary, tt.summary) {
				t.Errorf("the summary is %q", j.summary)
			}
		})
	}
}

// TestGoOfTheJob: later steps have the Go that they had before, and what a job builds for is not
// what the action builds for.
func TestGoOfTheJob(t *testing.T) {
	a, err := readAction()
	if err != nil {
		t.Fatal(err)
	}
	j := newJob(t, map[string]string{"bin/go": "#!/bin/sh\nif [ \"$1\" = env ]; then echo /go/of/the/job; else echo \"for ${GOOS}/${GOARCH}\"; fi\n"})
	tools := filepath.Join(j.workspace, "bin")
	if err := os.Chmod(filepath.Join(tools, "go"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOS", "windows")
	t.Setenv("GOARCH", "arm")
	j.path = tools + string(os.PathListSeparator) + j.path
	j.values = contexts{"github.action_path": j.workspace}
	for _, s := range a.Runs.Steps {
		j.step(t, s)
		if s.Name == buildStep {
			break
		}
	}
	if j.failed || !strings.Contains(j.printed, "for /\n") {
		t.Errorf("exit code %d, it printed\n%s", j.exitCode, j.printed)
	}
	want := []string{filepath.Join(j.temp, "probity"), "/go/of/the/job/bin", tools}
	if got := filepath.SplitList(j.path); !slices.Equal(got[:3], want) {
		t.Errorf("the PATH begins with %q, want %q", got[:3], want)
	}
}

// checkSARIF reads what would be uploaded. The paths of files begin at the repository.
func checkSARIF(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Results []struct {
				Locations []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
			}
		}
	}
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) != 1 || log.Runs[0].Results[0].Locations[0].PhysicalLocation.ArtifactLocation.URI != "deploy/app.yaml" {
		t.Errorf("SARIF: %s", data)
	}
}

// TestSummaryIsNoMarkdown: what a manifest says is shown as it is.
func TestSummaryIsNoMarkdown(t *testing.T) {
	j := newJob(t, map[string]string{"app.yaml": strings.Replace(fragile, "failureThreshold: 1}", "failureThreshold: 1} # </pre>```<img src=x>", 1)})
	j.play(t, nil)
	if !strings.Contains(j.summary, "<img") {
		t.Fatalf("the summary does not show the line: %s", j.summary)
	}
	for line := range strings.Lines(j.summary) {
		if strings.Contains(line, "<img") && !strings.HasPrefix(line, "    ") {
			t.Errorf("GitHub renders %q", line)
		}
	}
}

// TestDrillSaysNoCommand: what a service prints during a drill is no command, and what comes after
// the drill is heard again.
func TestDrillSaysNoCommand(t *testing.T) {
	a, err := readAction()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(a.Runs.Steps, func(s step) bool { return s.ID == "drill" })
	j := newJob(t, map[string]string{"bin/probity": "#!/bin/sh\necho '  ::error::from the service'\nprintf '%s\\n' \"$@\" > arguments\nexit 1\n"})
	program := filepath.Join(j.workspace, "bin")
	if err := os.Chmod(filepath.Join(program, "probity"), 0o755); err != nil {
		t.Fatal(err)
	}
	j.path = program + string(os.PathListSeparator) + j.path
	j.values = contexts{"inputs.drill": "a b.yaml\n", "inputs.drill-arguments": a.Inputs["drill-arguments"].Default}
	j.step(t, a.Runs.Steps[i])
	if j.exitCode != 1 || len(j.commands) > 0 || !strings.Contains(j.printed, "::error::from the service") {
		t.Errorf("exit code %d, commands %q, printed\n%s", j.exitCode, j.commands, j.printed)
	}
	if after := obeyed(j.printed + "::error::of the next step\n"); len(after) != 1 {
		t.Errorf("commands stay stopped: %q", after)
	}
	arguments, err := os.ReadFile(filepath.Join(j.workspace, "arguments"))
	if err != nil {
		t.Fatal(err)
	}
	want := "drill\n--report=" + j.temp + "/probity/drill.html\n--quick\n--assert\n--\na b.yaml\n"
	if diff := cmp.Diff(want, string(arguments)); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}

// TestDrill: the action drills a service, and leaves its report.
func TestDrill(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	j := newJob(t, map[string]string{"app.yaml": `apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations: {probity.run/command.web: "` + program + ` web"}
spec:
  containers:
  - name: web
    image: web
    ports: [{containerPort: 8080}]
    readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
`})
	j.play(t, map[string]string{"fail-on": "outage", "drill": "app.yaml", "drill-arguments": "--fault=crash\n--repeat=1\n--rate=5\n"})
	if j.exitCode != 0 {
		t.Fatalf("exit code %d\n%s", j.exitCode, j.printed)
	}
	page, err := os.ReadFile(j.outputs["drill-report"])
	if err != nil || !strings.Contains(string(page), "crash") {
		t.Errorf("the report: %v, %d bytes; printed\n%s", err, len(page), j.printed)
	}
}

// TestHowToNamesARelease: what is taken from this repository is taken at a tag, so that nobody's
// job changes by itself; it is the release that the how-to of installing names.
func TestHowToNamesARelease(t *testing.T) {
	install, err := os.ReadFile("../../docs/how-to/install.md")
	if err != nil {
		t.Fatal(err)
	}
	if archive := "probity_" + strings.TrimPrefix(release, "v") + "_linux_amd64.tar.gz"; !strings.Contains(string(install), archive) {
		t.Errorf("the how-to of installing has no %s", archive)
	}
	if hooks := block(t, "yaml", "hooks:"); !strings.Contains(hooks, "rev: "+release+"\n") {
		t.Errorf("the hooks are not those of %s:\n%s", release, hooks)
	}
}

// TestActionIsValid: actionlint finds nothing in the workflow of the how-to, whose action is ours.
func TestActionIsValid(t *testing.T) {
	workflow := block(t, "yaml", "jobs:")
	dir := t.TempDir()
	source, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, ".github", "workflows", "probes.yaml")
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o755); err != nil { // where a project begins
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "action.yml"), source, 0o644); err != nil {
		t.Fatal(err)
	}
	const uses = "probity-run/probity@" + release
	if !strings.Contains(workflow, uses) {
		t.Fatalf("the workflow does not use %s", uses)
	}
	workflow = strings.Replace(workflow, uses, "./", 1)
	for name, tt := range map[string]struct {
		text string
		want string // part of what is said
	}{
		"as it is":        {workflow, ""},
		"a wrong input":   {strings.Replace(workflow, "fail-on:", "fail-at:", 1), `input "fail-at" is not defined in action "Probity"`},
		"a wrong trigger": {strings.Replace(workflow, "pull_request", "pull_requests", 1), "pull_requests"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(tt.text), 0o644); err != nil {
				t.Fatal(err)
			}
			linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
			if err != nil {
				t.Fatal(err)
			}
			found, err := linter.LintFile(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, problem := range found {
				said = append(said, problem.Error())
			}
			if all := strings.Join(said, "\n"); (all == "") != (tt.want == "") || !strings.Contains(all, tt.want) {
				t.Errorf("actionlint says %q, want %q", all, tt.want)
			}
		})
	}
}
