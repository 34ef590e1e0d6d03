package advisor

import (
	"path"
	"slices"
	"strings"
)

// script is what a command gives to a shell with -c.
type script struct {
	text string
	// options are the words before it, with -c; arguments those after it: $0, $1 and so on.
	options, arguments []string
}

// shellScript finds the script as a shell does: it is the first word that is no option, and -c may
// stand anywhere before it, alone or among other letters.
func shellScript(command []string) (script, bool) {
	if len(command) < 3 || !isShell(command[0]) {
		if len(command) > 3 && path.Base(command[0]) == "env" {
			return shellScript(command[1:])
		}
		return script{}, false
	}
	asksForScript := false
	for i := 1; i < len(command); i++ {
		word := command[i]
		ends := word == "-" || word == "--"
		if !ends && len(word) > 1 && (word[0] == '-' || word[0] == '+') {
			isLong := strings.HasPrefix(word, "--")
			asksForScript = asksForScript || word[0] == '-' && !isLong && strings.Contains(word, "c")
			i += optionValues(word, isLong)
			continue
		}
		if ends {
			i++
		}
		if !asksForScript || i >= len(command) {
			break // a script file
		}
		return script{command[i], command[1:i], command[i+1:]}, true
	}
	return script{}, false
}

// optionValues is how many words after an option of a shell are its values.
func optionValues(word string, isLong bool) int {
	if !isLong {
		return strings.Count(word, "o") + strings.Count(word, "O") // set -o, shopt -O
	}
	if slices.Contains([]string{"--rcfile", "--init-file"}, word) {
		return 1
	}
	return 0
}
