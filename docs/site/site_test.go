package main

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// written writes the documentation of this repository to a folder.
func written(t *testing.T) site {
	t.Helper()
	s := site{root: filepath.Join("..", ".."), folder: t.TempDir()}
	if err := s.documentation(); err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	attribute = regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	anchor    = regexp.MustCompile(`(?:id|name)="([^"]+)"`)
)

// TestLinks: every link of every page to the site finds its file, and its anchor in it. The
// playground is not there: it is written by itself.
func TestLinks(t *testing.T) {
	s := written(t)
	pages := map[string]string{}
	err := filepath.WalkDir(s.folder, func(name string, entry os.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".html" {
			return err
		}
		data, err := os.ReadFile(name)
		below, _ := filepath.Rel(s.folder, name)
		pages[filepath.ToSlash(below)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 80 {
		t.Errorf("there are only %d pages", len(pages))
	}
	followed := 0
	for name, text := range pages {
		for _, match := range attribute.FindAllStringSubmatch(text, -1) {
			to, part, hasPart := strings.Cut(match[1], "#")
			if strings.Contains(to, ":") {
				continue
			}
			followed++
			file := name
			if to != "" {
				file = path.Join(path.Dir(name), to)
			}
			if _, err := os.Stat(filepath.Join(s.folder, file)); err != nil && file != "playground/index.html" {
				t.Errorf("%s leads to %s, which is not there", name, match[1])
			}
			isThere := slices.ContainsFunc(anchor.FindAllStringSubmatch(pages[file], -1), func(m []string) bool { return m[1] == part })
			if hasPart && !isThere {
				t.Errorf("%s leads to %s, which has no such anchor", name, match[1])
			}
		}
	}
	if followed < 1000 {
		t.Errorf("only %d links were followed", followed)
	}
}

// TestNavigation: each page is in the navigation of each once, and knows itself.
func TestNavigation(t *testing.T) {
	pages, err := readPages(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		known, here := 0, ""
		for _, g := range p.navigation(pages) {
			known += len(g.Links)
			for _, l := range g.Links {
				if l.IsHere {
					here += l.Text
				}
			}
		}
		if known != len(pages) || here != p.title {
			t.Errorf("%s lists %d of %d pages, and itself as %q", p.source, known, len(pages), here)
		}
	}
}

// mostIndex is how many bytes the index of the search may have.
const mostIndex = 300_000

// TestIndex: the index is small, has each page, and leads from words to sections.
func TestIndex(t *testing.T) {
	pages, err := readPages(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	made := newIndex(pages)
	script := made.script()
	packed, err := gzipped(script)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d pages, %d sections, %d words: %d bytes, %d compressed", len(made.Pages), len(made.Sections), strings.Count(made.Words, "\n")+1, len(script), len(packed))
	if len(script) > mostIndex {
		t.Errorf("the index has %d bytes, more than %d", len(script), mostIndex)
	}
	if len(made.Pages) != len(pages) {
		t.Errorf("it has %d of %d pages", len(made.Pages), len(pages))
	}
}

func TestIndexOfAPage(t *testing.T) {
	made, err := render("docs/a.md", []byte("## A page\n\nFirst `failureThreshold` 404.\n\n### Second: *part*\n\n| a1 | b2 |\n|---|---|\n| cell | 12345 |\n\n```sh\nprobity run\n```\n"))
	if err != nil {
		t.Fatal(err)
	}
	x := newIndex([]page{{"docs/a.md", made}})
	want := index{
		Pages:    [][2]string{{"docs/a.html", "A page"}},
		Sections: [][4]any{{0, "a-page", "A page", "First failureThreshold 404."}, {0, "second-part", "Second: part", "a1 b2 cell 12345 probity run"}},
		Words:    "404 0\na1 1\nb2 1\ncell 1\nfailurethreshold 0\nfirst 0\npage 0\npart 1\nprobity 1\nrun 1\nsecond 1",
	}
	if !slices.Equal(x.Pages, want.Pages) || !slices.Equal(x.Sections, want.Sections) || x.Words != want.Words {
		t.Errorf("it is\n%v\nwant\n%v", x, want)
	}
	if !strings.Contains(made.body, `<h1 id="a-page">`) || !strings.Contains(made.body, `<h2 id="second-part">`) {
		t.Errorf("the headings are not raised:\n%s", made.body)
	}
}

func TestBeginning(t *testing.T) {
	for text, want := range map[string]string{
		"": "", " a\n b ": "a b", strings.Repeat("é", longestBeginning+1): "…",
		strings.Repeat("word ", 30): strings.Repeat("word ", longestBeginning/5) + "…",
	} {
		if got := beginning(text); got != want {
			t.Errorf("%q begins with %q, want %q", text, got, want)
		}
	}
}

// TestLicenses: each module that the playground consists of is there with a text, Go's code too,
// and the page leads to them.
func TestLicenses(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	p := playground{site{root: root, folder: t.TempDir()}}
	if err := p.licenses(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(p.folder, "playground", "licenses.txt"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "./cmd/playground")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	modules, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	listed := slices.Compact(slices.Sorted(strings.Lines(string(modules))))
	if len(listed) < 5 {
		t.Errorf("it consists of %q", listed)
	}
	for _, m := range append(listed, "Go\n") {
		if title := "\n== " + strings.TrimSpace(m) + "/"; len(m) > 1 && !strings.Contains(string(text), title) {
			t.Errorf("there is no %q", title)
		}
	}
	if !strings.Contains(string(text), "Copyright 2009 The Go Authors.") {
		t.Error("the license of Go is missing")
	}
	page, err := os.ReadFile(p.page("index.html"))
	if err != nil || !strings.Contains(string(page), `href="licenses.txt"`) {
		t.Errorf("the page does not lead to them: %v", err)
	}
}

func TestTarget(t *testing.T) {
	for _, tt := range []struct{ folder, link, want string }{
		{"docs", "how-to/install.md#by-a-script", "how-to/install.html#by-a-script"},
		{"docs/how-to", "../../health/README.md", "../../health/index.html"},
		{".", "docs/tutorial.md", "docs/tutorial.html"},
		{"docs/how-to", "../../README.md#try-it", "../../index.html#try-it"},
		{"docs", "../examples/calculator/pod.yaml", repository + "examples/calculator/pod.yaml"},
		{"docs", "../examples/calculator", repository + "examples/calculator"},
		{"docs", "../service/testdata/cases/README.md", repository + "service/testdata/cases/README.md"},
		{"docs", "#here", "#here"},
		{"docs", "https://example.com/a.md#b", "https://example.com/a.md#b"},
	} {
		if got := target(tt.folder, tt.link); got != tt.want {
			t.Errorf("%s in %s leads to %s, want %s", tt.link, tt.folder, got, tt.want)
		}
	}
}

func TestAnchors(t *testing.T) {
	a := anchors{}
	for _, tt := range [][2]string{{"A page: its `code`", "a-page-its-code"}, {"v1.36, and_more", "v136-and_more"}, {"Über", "über"}, {"Über", "über-1"}} {
		if got := string(a.Generate([]byte(tt[0]), 0)); got != tt[1] {
			t.Errorf("%q has the anchor %s, want %s", tt[0], got, tt[1])
		}
	}
}
