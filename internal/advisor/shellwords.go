package advisor

import (
	"regexp"
	"slices"
	"strings"
)

// positional matches the parameters that a script is given: $1, ${2:-x}, $@.
var positional = regexp.MustCompile(`\$\{?[#]?[0-9@*]|\$#|\bshift\b|\bgetopts\b|\bset --`)

// LostWords are the words after the script of sh -c that the script does not use: they become its
// parameters, not part of it. What is left of the script is returned, too. A single word that only
// names the script is none.
func LostWords(command []string) (lost []string, left string) {
	s, ok := shellScript(command)
	if !ok || len(s.arguments) == 0 || positional.MatchString(s.text) {
		return nil, ""
	}
	isLine := strings.ContainsAny(strings.TrimSpace(s.text), " \t\n;|&")
	if first := s.arguments[0]; len(s.arguments) == 1 && (isLine && !looksLikeArgument(first) || isPlaceholder(first)) {
		return nil, ""
	}
	return s.arguments, s.text
}

// looksLikeArgument tells a word that was meant for a program from the name that some give $0.
func looksLikeArgument(word string) bool {
	return !isPlaceholder(word) && (strings.HasPrefix(word, "-") || strings.ContainsAny(word, ":;|&> ") || strings.HasPrefix(word, "/") && !strings.HasSuffix(word, "sh"))
}

func isPlaceholder(word string) bool {
	return slices.Contains([]string{"--", "-", "_", ""}, word) || isShell(word)
}
