package ci

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const page = "../../docs/how-to/check-in-ci.md"

// block is the block of the how-to in a language that has a text in it.
func block(t *testing.T, language, has string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(text), "```"+language+"\n")[1:] {
		if block, _, _ := strings.Cut(part, "\n```"); strings.Contains(block, has) {
			return block + "\n"
		}
	}
	t.Fatalf("%s has no block of %s with %q", page, language, has)
	return ""
}

// install is the line by which jobs get probity. Here it is there already, built of this commit.
const install = "go install github.com/probity-run/probity/cmd/probity@latest"

// play runs the lines of a job in a checkout with a manifest in deploy/, as one script or each by
// itself, and returns the folder and the exit code.
func play(t *testing.T, manifest string, lines []string) (dir string, exitCode int) {
	t.Helper()
	j := newJob(t, map[string]string{"deploy/app.yaml": manifest})
	script := ""
	for _, line := range lines {
		if line != install {
			script += line + "\n"
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", script)
	cmd.Dir = j.workspace
	cmd.Env = append(os.Environ(), "PATH="+built+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	t.Logf("%s", out)
	return j.workspace, cmd.ProcessState.ExitCode()
}

// TestGitLab: the job of the how-to fails if there is a finding, and leaves both reports.
func TestGitLab(t *testing.T) {
	var jobs map[string]struct {
		BeforeScript []string `yaml:"before_script"`
		Script       []string
		Artifacts    struct {
			Reports struct{ Codequality, JUnit string }
		}
	}
	if err := yaml.Unmarshal([]byte(block(t, "yaml", "before_script:")), &jobs); err != nil {
		t.Fatal(err)
	}
	job := jobs["probes"]
	if len(job.BeforeScript) != 1 || job.BeforeScript[0] != install {
		t.Errorf("probity is installed by %q", job.BeforeScript)
	}
	for _, tt := range []struct {
		manifest         string
		exitCode, issues int
		failures         string
	}{
		{fragile, 1, 1, "1"},
		{wasteful, 0, 1, "0"},
	} {
		dir, exitCode := play(t, tt.manifest, job.Script)
		if exitCode != tt.exitCode {
			t.Errorf("exit code %d, want %d", exitCode, tt.exitCode)
		}
		if issues := readIssues(t, filepath.Join(dir, job.Artifacts.Reports.Codequality)); len(issues) != tt.issues {
			t.Errorf("%d issues, want %d", len(issues), tt.issues)
		}
		if failures := readJUnit(t, filepath.Join(dir, job.Artifacts.Reports.JUnit)); failures != tt.failures {
			t.Errorf("%s failures, want %s", failures, tt.failures)
		}
	}
}

// readIssues reads a report of code quality. GitLab wants these fields, and paths that begin at the
// repository.
func readIssues(t *testing.T, path string) []map[string]any {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var issues []map[string]any
	if err := json.Unmarshal(data, &issues); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	for _, issue := range issues {
		for _, field := range []string{"description", "check_name", "fingerprint", "severity", "location"} {
			if issue[field] == nil {
				t.Errorf("an issue without %s: %v", field, issue)
			}
		}
		if !strings.Contains(string(data), `"path": "deploy/app.yaml"`) {
			t.Errorf("the path of the file is missing: %s", data)
		}
	}
	return issues
}

// readJUnit gives the number of failures.
func readJUnit(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var suites struct {
		Failures string `xml:"failures,attr"`
	}
	if err := xml.Unmarshal(data, &suites); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return suites.Failures
}

// TestJenkins: the steps of the how-to fail if there is a finding, after they have left what the
// job shows in the end.
func TestJenkins(t *testing.T) {
	pipeline := block(t, "groovy", "pipeline {")
	var lines []string
	for _, found := range regexp.MustCompile(`sh '(.*)'\n`).FindAllStringSubmatch(pipeline, -1) {
		lines = append(lines, found[1])
	}
	if len(lines) != 4 || lines[0] != install {
		t.Fatalf("the steps are %q", lines)
	}
	for manifest, want := range map[string]int{fragile: 1, wasteful: 0} {
		dir, exitCode := play(t, manifest, lines)
		if exitCode != want {
			t.Errorf("exit code %d, want %d", exitCode, want)
		}
		readJUnit(t, filepath.Join(dir, "probity.xml"))
		for _, name := range []string{"probity.xml", "probity.sarif"} {
			if !strings.Contains(pipeline, "'"+name+"'") {
				t.Errorf("the job does not show %s", name)
			}
		}
		checkSARIF(t, filepath.Join(dir, "probity.sarif"))
	}
}
