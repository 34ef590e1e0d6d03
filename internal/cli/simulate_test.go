package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestHowToSimulate runs the commands of the how-to and compares what they print with what it
// shows. With -update it writes that anew.
func TestHowToSimulate(t *testing.T) {
	path, err := filepath.Abs("../../docs/how-to/simulate-a-fault.md")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	var page strings.Builder
	files := map[string]string{"apiVersion": "app.yaml", "programs": "script.yaml"}
	rest := string(data)
	for commands := 0; ; commands++ {
		before, block, ok := strings.Cut(rest, "```console\n")
		for yaml := range strings.SplitSeq(before, "```yaml\n") {
			if name, known := files[strings.SplitN(yaml, ":", 2)[0]]; known {
				text, _, _ := strings.Cut(yaml, "```")
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		page.WriteString(before)
		if !ok {
			if commands == 0 {
				t.Fatal("the page has no transcript")
			}
			break
		}
		block, rest, _ = strings.Cut(block, "```")
		line, _, _ := strings.Cut(block, "\n")
		page.WriteString("```console\n" + line + "\n" + transcript(t, line) + "```")
	}
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(data), page.String()); diff != "" {
		t.Errorf("the page is stale, run go generate ./internal/cli (-page +program):\n%s", diff)
	}
}

// transcript is what a command prints, standard output first, and its exit code if that is not 0.
func transcript(t *testing.T, line string) string {
	t.Helper()
	words := splitQuoted(strings.TrimPrefix(line, "$ probity "))
	var out, errs bytes.Buffer
	code := Main(t.Context(), Streams{In: &bytes.Buffer{}, Out: &out, Err: &errs}, words)
	text := out.String() + errs.String()
	if code != 0 {
		text += "[exit code " + string(rune('0'+code)) + "]\n"
	}
	return text
}

// splitQuoted splits at spaces, but not within single quotes.
func splitQuoted(line string) (words []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

// TestSimulateScripts runs the scripts about simulate.
func TestSimulateScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/simulate", RequireExplicitExec: true, RequireUniqueNames: true})
}
