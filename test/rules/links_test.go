//go:build !race

package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	// fenced is a block of code, in which nothing is a link.
	fenced = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	// codeSpan is code within a line.
	codeSpan = regexp.MustCompile("`[^`\n]*`")
	// markdownLink is a link or a picture of Markdown; its target is the group.
	markdownLink = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	// heading is one of any level.
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	// named is an anchor that a page sets itself.
	named = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
)

// TestLinks: every link of a page to a file of the repository finds it, and its anchor in it. What
// is elsewhere is not asked.
func TestLinks(t *testing.T) {
	found := 0
	for _, path := range files(t, ".md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range links(string(text)) {
			found++
			if complaint := follow(path, target); complaint != "" {
				t.Errorf("%s: the link to %s: %s", path, target, complaint)
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d links were found", found)
	}
}

// links are the targets of a page's links that are files, or anchors of the page.
func links(text string) (targets []string) {
	text = codeSpan.ReplaceAllString(fenced.ReplaceAllString(text, ""), "")
	for _, match := range markdownLink.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(match[1], ":") {
			targets = append(targets, match[1])
		}
	}
	return targets
}

// follow says what is wrong with a link of a page.
func follow(page, target string) string {
	file, anchor, _ := strings.Cut(target, "#")
	if file != "" {
		page = filepath.Join(filepath.Dir(page), file)
	}
	info, err := os.Stat(page)
	if err != nil {
		return "no such file"
	}
	if anchor == "" || info.IsDir() || filepath.Ext(page) != ".md" {
		return ""
	}
	text, err := os.ReadFile(page)
	if err != nil {
		return err.Error()
	}
	if !anchors(string(text))[anchor] {
		return "no such heading"
	}
	return ""
}

// anchors are those of a page's headings, as GitHub makes them, and those that it sets itself.
func anchors(text string) map[string]bool {
	known := map[string]bool{}
	for _, match := range named.FindAllStringSubmatch(text, -1) {
		known[match[1]] = true
	}
	for _, match := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		known[anchorOf(match[1])] = true
	}
	return known
}

// anchorOf is the anchor of a heading: small letters, hyphens for spaces, and no other signs.
func anchorOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

func TestFollow(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "page.md")
	const text = "# A page: its `code`\n\n<a id=\"r1\"></a>\n```\n# no heading [a](missing.md)\n```\n[b](https://example.com/x) [c](page.md#r1) `[d](missing.md)`\n"
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := links(text); len(got) != 1 || got[0] != "page.md#r1" {
		t.Errorf("the links are %q", got)
	}
	for target, want := range map[string]string{
		"page.md": "", "#a-page-its-code": "", "page.md#r1": "", ".": "",
		"missing.md": "no such file", "#no-heading": "no such heading", "page.md#r2": "no such heading",
	} {
		if got := follow(page, target); got != want {
			t.Errorf("%s: it says %q, want %q", target, got, want)
		}
	}
}
