//go:build drill

package drill

import (
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// testHowTo runs the command of the CI job in docs/how-to/break-it-before-your-users-do.md, on
// the sound service.
func (b built) testHowTo(t *testing.T) {
	page, err := os.ReadFile("../../docs/how-to/break-it-before-your-users-do.md")
	if err != nil {
		t.Fatal(err)
	}
	_, command, ok := strings.Cut(string(page), "      - run: probity drill ")
	command, _, _ = strings.Cut(command, "\n")
	if !ok || !strings.Contains(command, "--quick --assert") {
		t.Fatalf("the page has no such command: %q", command)
	}
	dir := t.TempDir()
	manifest := b.manifest(t, nil)
	manifest = strings.Replace(manifest, "probity.run/drill", "probity.run/command.service: "+b.service+"\n        probity.run/drill", 1)
	if err := os.WriteFile(filepath.Join(dir, "app.yaml"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), b.probity, append([]string{"drill"}, strings.Fields(command)...)...)
	cmd.Dir = dir
	out, asserted := cmd.CombinedOutput()
	t.Logf("%v\n%s", asserted, out)
	for file, part := range map[string]string{"drill.xml": "<testsuite", "drill.html": "</html>"} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.Contains(string(data), part) {
			t.Errorf("%s: %v, %d bytes", file, err, len(data))
		}
	}
	var suite struct {
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Cases    []struct{} `xml:"testcase"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "drill.xml"))
	if err == nil {
		err = xml.Unmarshal(data, &suite)
	}
	if err != nil || len(suite.Cases) < 3 {
		t.Errorf("drill.xml has %d cases: %v", len(suite.Cases), err)
	}
	// what this machine was too busy to tell is an error in it, and fails the command, too
	if suite.Failures > 0 || (asserted != nil) != (suite.Errors > 0) {
		t.Errorf("the sound service has %d failures and %d errors, and the command ends with %v", suite.Failures, suite.Errors, asserted)
	}
}
