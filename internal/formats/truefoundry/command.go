package truefoundry

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/formats/tree"
	"github.com/probity-run/probity/internal/manifest"
)

// assignment is what a shell would take for a variable that is set for a command.
var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// command checks a command and warns about what only a shell would do.
func (c *checker) command(v tree.Value) {
	areTexts := true
	for _, item := range v.Items() {
		areTexts = c.word(item) && areTexts
	}
	words, err := wordsOf(v)
	switch {
	case !areTexts:
		return
	case v.IsObject():
		c.fail(v, "cannot use an object as a command: write a string, or a list of words")
		return
	case err != nil:
		c.fail(v, "cannot split it into words as a shell does: %v", err)
		return
	case len(words) == 0 || words[0] == "":
		c.fail(v, "it names no program")
		return
	}
	if sign := shellSign(words); sign != "" {
		c.warn(v, "no shell runs the command, so %s is a word like any other: write [/bin/sh, -c, \"…\"]", sign)
	}
}

// wordsOf are the words of a command.
func wordsOf(v tree.Value) ([]string, error) {
	if !v.IsList() {
		if v.Node == nil || v.IsObject() {
			return nil, nil
		}
		return manifest.SplitWords(v.Node.Value)
	}
	var words []string
	for _, item := range v.Items() {
		if word, ok := textOf(item); ok {
			words = append(words, word)
		}
	}
	return words, nil
}

// shellSign is a word that only means something to a shell, and is not given to one; else "".
func shellSign(words []string) string {
	if slices.Contains([]string{"sh", "bash", "dash", "ash", "zsh"}, path.Base(words[0])) {
		return ""
	}
	if assignment.MatchString(words[0]) {
		return words[0]
	}
	for _, word := range words[1:] {
		if slices.Contains([]string{"&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"}, word) {
			return word
		}
		if strings.HasSuffix(word, ";") {
			return ";"
		}
	}
	return ""
}
