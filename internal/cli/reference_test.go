package cli

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
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
		cmd.Long = fenced(cmd.Long)
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

// fenced makes Markdown of a help text: paragraphs with lines that begin with a blank are lists or
// code, whose lines Markdown would run together.
func fenced(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		if strings.Contains("\n"+p, "\n ") || strings.Contains(p, "\n\t") {
			paragraphs[i] = "```\n" + p + "\n```"
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

// TestReferenceIsMarkdown: nothing of the reference is lost on a site or in a man page, as words in
// angle brackets are, which are HTML, and the ends of lines of a list that is none in Markdown.
func TestReferenceIsMarkdown(t *testing.T) {
	pages, err := filepath.Glob("../../docs/reference/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("pages %q (%v)", pages, err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, lost := range lostInMarkdown(string(text)) {
			t.Errorf("%s:%s", page, lost)
		}
	}
}

func TestLostInMarkdown(t *testing.T) {
	for text, want := range map[string]int{
		"plain, 1 < 2, `a<b>c`\n\n```\n  in <a> fence\n```\n": 0,
		"the annotation command.<container>":                  1,
		"word\n\tits text":                                    1,
		"Words:\n\n  one\n  two\n":                            2,
		"```\nfence\n```\n after it":                          1,
	} {
		if got := lostInMarkdown(text); len(got) != want {
			t.Errorf("%q: %q, want %d", text, got, want)
		}
	}
	const help = "word\n\tits text\n\n  one\n  two\n\nplain"
	if got, want := fenced(help), "```\nword\n\tits text\n```\n\n```\n  one\n  two\n```\n\nplain"; got != want || len(lostInMarkdown(got)) > 0 {
		t.Errorf("got %q, want %q", got, want)
	}
}

// codeSpan is code within a line.
var codeSpan = regexp.MustCompile("`[^`]*`")

// tag is what Markdown takes for HTML.
var tag = regexp.MustCompile(`</?[A-Za-z]`)

// lostInMarkdown lists the lines outside of fences that do not look as they were written.
func lostInMarkdown(page string) (lost []string) {
	inFence, n := false, 0
	for line := range strings.Lines(page) {
		n++
		switch {
		case strings.HasPrefix(line, "```"):
			inFence = !inFence
		case inFence:
		case strings.TrimSpace(line) != "" && strings.TrimLeft(line, " \t") != line:
			lost = append(lost, fmt.Sprintf("%d: a line with a blank before it belongs into a fence: %s", n, line))
		case tag.MatchString(codeSpan.ReplaceAllString(line, "")):
			lost = append(lost, fmt.Sprintf("%d: a word in angle brackets is HTML: %s", n, line))
		}
	}
	return lost
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
