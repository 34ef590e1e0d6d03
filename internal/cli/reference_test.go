package cli

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// update is the flag with which go generate writes the reference anew.
var update = flag.Bool("update", false, "write docs/reference instead of comparing it")

func TestReferenceIsCurrent(t *testing.T) {
	const folder = "../../docs/reference"
	root := newRoot(Streams{In: &bytes.Buffer{}, Out: io.Discard, Err: io.Discard})
	root.DisableAutoGenTag = true
	pages := 0
	eachCommand(root, func(cmd *cobra.Command) {
		pages++
		var page bytes.Buffer
		if err := doc.GenMarkdown(cmd, &page); err != nil {
			t.Fatal(err)
		}
		current(t, filepath.Join(folder, strings.ReplaceAll(cmd.CommandPath(), " ", "_")+".md"), page.String())
	})
	pages += 4
	current(t, filepath.Join(folder, "rules.md"), rulesPage(t))
	current(t, filepath.Join(folder, "metrics.md"), metricsPage())
	if *update {
		return
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != pages {
		t.Errorf("%s has %d pages, expected %d: one a command, the rules, the metrics, and what test/schemas makes: the annotations and the folder of schemas", folder, len(files), pages)
	}
}

// current compares a page with what is generated, or writes it.
func current(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v: run go generate ./...", err)
		return
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is stale, run go generate ./... (-want +got):\n%s", path, diff)
	}
}

func eachCommand(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, child := range cmd.Commands() {
		if !child.Hidden && child.Name() != "help" && child.Name() != "completion" {
			eachCommand(child, do)
		}
	}
}
