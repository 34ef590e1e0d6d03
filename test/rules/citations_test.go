//go:build !race

package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/probity-run/probity/docs"
	"github.com/probity-run/probity/internal/advisor"
)

// kubeletRules reads the page of the kubelet's rules.
func kubeletRules(t *testing.T) map[string]advisor.KubeletRule {
	t.Helper()
	rules, err := advisor.ParseKubeletRules(docs.KubeletRules())
	if err != nil {
		t.Fatalf("%s: %v", advisor.KubeletRulesPage, err)
	}
	return rules
}

// TestKubeletRulesAreComplete demands that the numbers have no gap, and that the page is one that
// Markdown renders as it is meant: unique anchors, links that are defined, and no HTML but anchors.
func TestKubeletRulesAreComplete(t *testing.T) {
	rules := kubeletRules(t)
	for n := range len(rules) {
		if number := fmt.Sprintf("R%d", n+1); rules[number].Anchor != strings.ToLower(number) {
			t.Errorf("%s is missing, or its anchor %q is another one", number, rules[number].Anchor)
		}
	}
	page := docs.KubeletRules()
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)<a id="([^"]*)"></a>|^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		anchor := m[1] + headingAnchor(m[2])
		if anchors[anchor] {
			t.Errorf("the anchor #%s is there twice", anchor)
		}
		anchors[anchor] = true
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(page, -1) {
		if !anchors[m[1]] {
			t.Errorf("the page links to #%s, which it does not have", m[1])
		}
	}
	for _, rule := range rules {
		for _, m := range regexp.MustCompile(`\[[^\]]+\]`).FindAllString(rule.Source, -1) {
			if !strings.Contains(page, "\n"+m+": https://") {
				t.Errorf("%s names the source %s, for which the page has no link", rule.Number, m)
			}
		}
		if outside := regexp.MustCompile("``.*?``|`[^`]*`").ReplaceAllString(rule.Text, ""); strings.ContainsAny(outside, "<>`*|") {
			t.Errorf("%s has a character outside code that Markdown reads as something else: %s", rule.Number, rule.Text)
		}
	}
}

// headingAnchor is the anchor that GitHub gives a heading.
func headingAnchor(heading string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case strings.ContainsRune(",.'`:()", r):
			return -1
		}
		return r
	}, heading)
	return strings.ToLower(kept)
}

// A citation is a rule's number, alone or as the first or the last one of a range: R28, R25–R28.
var (
	citation      = regexp.MustCompile(`\bR([0-9]+)\b`)
	citationRange = regexp.MustCompile(`\bR([0-9]+) ?(?:[-–]|to) ?R([0-9]+)\b`)
)

// TestCitationsResolve demands of every text of the repository, whatever the module, that the
// kubelet's rules which it cites exist, and that ranges of them go up.
func TestCitationsResolve(t *testing.T) {
	rules := kubeletRules(t)
	cited := 0
	for _, file := range texts(t) {
		for i, line := range strings.Split(file.text, "\n") {
			if !mayCite(line) {
				continue
			}
			for _, m := range citation.FindAllStringSubmatch(line, -1) {
				cited++
				if _, ok := rules[m[0]]; !ok {
					t.Errorf("%s:%d: %s is not in %s", file.path, i+1, m[0], advisor.KubeletRulesPage)
				}
			}
			for _, m := range citationRange.FindAllStringSubmatch(line, -1) {
				if number(t, m[1]) >= number(t, m[2]) {
					t.Errorf("%s:%d: %s does not go up", file.path, i+1, m[0])
				}
			}
		}
	}
	if cited < 100 {
		t.Errorf("only %d citations were found: the search is broken", cited)
	}
}

// mayCite reports whether a line has an R before a digit: regular expressions take half a minute
// for all lines of the repository under the race detector.
func mayCite(line string) bool {
	for {
		_, after, found := strings.Cut(line, "R")
		if !found {
			return false
		}
		if after != "" && after[0] >= '0' && after[0] <= '9' {
			return true
		}
		line = after
	}
}

func number(t *testing.T, digits string) int {
	t.Helper()
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestNothingOutsideIsCited demands that comments and pages point to what the repository has, and
// not to documents of another place.
func TestNothingOutsideIsCited(t *testing.T) {
	outside := regexp.MustCompile(`\bDESIGN\b|\.\./` + `shared\b|\bkubelet-semantics\b|\badvisor\.md\b|[Rr]ule book's section`)
	words := []string{"DESIGN", "shared", "kubelet-semantics", "advisor.md", "book's section"} // one of them is in each match
	for _, file := range texts(t) {
		if file.path == "test/rules/citations_test.go" {
			continue // it has to name what it looks for
		}
		if !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(file.text, word) }) {
			continue
		}
		for i, line := range strings.Split(file.text, "\n") {
			if m := outside.FindString(line); m != "" {
				t.Errorf("%s:%d: %q is not in this repository", file.path, i+1, m)
			}
		}
	}
}

// textFile is a file of the repository that people write.
type textFile struct {
	path string // from the root
	text string
}

// texts are the Go files, pages, manifests and scripts of all modules, and not what machines write:
// checksums, recordings, programs.
func texts(t *testing.T) []textFile {
	t.Helper()
	var texts []textFile
	for _, path := range files(t, ".go", ".md", ".yaml", ".yml", ".txt", ".sh", "") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(data) {
			continue // a program that somebody built here
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, textFile{filepath.ToSlash(name), string(data)})
	}
	return texts
}
