package advisor

import (
	"path"
	"slices"
	"strings"
)

// statuses are the exit statuses that are possible somewhere.
type statuses struct{ zero, other bool }

func (s statuses) or(t statuses) statuses { return statuses{s.zero || t.zero, s.other || t.other} }

func (s statuses) none() bool { return !s.zero && !s.other }

// CannotFail reports whether an exec command ends with 0 whatever happens. lost is the command
// before a pipe whose failure would be noticed if the pipe kept it, or empty: then the command asks
// nothing, or throws away what it was told.
func CannotFail(words []string) (lost string, ok bool) {
	run := func(filtersFail bool) (statuses, string) {
		e := &evaluation{filtersFail: filtersFail}
		return e.program(words), e.piped
	}
	always, piped := run(false)
	if always.other || always.none() {
		return "", false
	}
	if honest, _ := run(true); honest.other {
		return piped, true
	}
	return "", true
}

// evaluation goes through a shell script and notes which exit statuses it can have. Not safe for
// concurrent use.
type evaluation struct {
	// filtersFail makes a filter at the end of a pipe fail when what is before it fails.
	filtersFail bool
	// now is the status of the last command on all ways that lead here, ended those with which the
	// script has ended before.
	now, ended statuses
	// errexit and pipefail are the options of the shell.
	errexit, pipefail bool
	// piped is the first command whose status a pipe loses.
	piped string
}

func (e *evaluation) program(words []string) statuses {
	words = command(words)
	if len(words) == 0 {
		return statuses{zero: true, other: true}
	}
	if path.Base(words[0]) == "timeout" {
		_, words = timeoutOf(words[1:])
		return e.program(words)
	}
	s, ok := shellScript(words)
	switch {
	case ok:
		e.setOptions(s.options)
		return e.script(s.text)
	case len(words) == 1 && isShell(words[0]):
		return statuses{zero: true} // it reads an empty standard input
	}
	return statusesOf(words)
}

// setOptions reads the options of the shell, or the arguments of set.
func (e *evaluation) setOptions(words []string) {
	for i, word := range words {
		if strings.HasPrefix(word, "-") && !strings.HasPrefix(word, "--") {
			e.errexit = e.errexit || strings.Contains(word, "e")
		}
		if i > 0 && strings.HasSuffix(words[i-1], "o") {
			e.errexit = e.errexit || word == "errexit"
			e.pipefail = e.pipefail || word == "pipefail"
		}
	}
}

// script returns the statuses of a script. Compound commands are not understood: they may fail.
func (e *evaluation) script(text string) statuses {
	var list []shellCommand
	for _, c := range shellCommands(text) {
		if c.depth > 0 {
			continue
		}
		isEmpty := len(c.words) == 0
		if isEmpty && !c.opens || c.hereDocument || c.operator == "(" || c.operator == ")" || !isEmpty && isCompound(c.words[0]) {
			return statuses{zero: true, other: true}
		}
		list = append(list, c)
	}
	e.now = statuses{zero: true} // of an empty script
	joint := ";"
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n-1].operator == "|" {
			n++
		}
		e.join(joint, list[:n])
		if joint, list = list[n-1].operator, list[n:]; joint == "&" {
			e.now = statuses{zero: true} // nobody waits for it
		}
	}
	return e.now.or(e.ended)
}

func isCompound(word string) bool {
	return slices.Contains([]string{"if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "select", "function", "{", "}", "!", "[[",
		"trap", "eval", ".", "source", "return", "break", "continue"}, word)
}

// join runs a pipeline on those ways on which the operator before it lets it run.
func (e *evaluation) join(operator string, pipeline []shellCommand) {
	before, skip := e.now, statuses{}
	switch operator {
	case "&&":
		before, skip = statuses{zero: e.now.zero}, statuses{other: e.now.other}
	case "||":
		before, skip = statuses{other: e.now.other}, statuses{zero: e.now.zero}
	default:
		if e.errexit {
			e.ended.other = e.ended.other || e.now.other
			before.other = false
		}
	}
	if before.none() {
		e.now = skip
		return
	}
	e.now = e.pipeline(before, pipeline).or(skip)
	e.now.other = e.now.other || pipeline[len(pipeline)-1].opens
}

func (e *evaluation) pipeline(before statuses, list []shellCommand) statuses {
	last := list[len(list)-1].words
	if len(last) == 0 { // redirections alone
		return statuses{zero: true}
	}
	if len(list) > 1 {
		switch {
		case e.pipefail || !isFilter(command(last)):
			return statusesOf(last).or(statuses{other: e.pipefail})
		case e.piped == "":
			e.piped = strings.Join(command(list[0].words), " ")
		}
		return statuses{zero: true, other: e.filtersFail && statusesOf(list[0].words).other}
	}
	switch last[0] {
	case "exit":
		e.ended = e.ended.or(exitStatus(before, last[1:]))
		return statuses{}
	case "set":
		e.setOptions(last[1:])
		return statuses{zero: true}
	}
	return statusesOf(last)
}

// looksForProcess reports whether an argument of ps names processes: by their command, their number
// or their parent's.
func looksForProcess(word string) bool {
	return strings.HasPrefix(word, "-") && strings.ContainsAny(word, "Cpq")
}

func exitStatus(before statuses, arguments []string) statuses {
	switch {
	case len(arguments) == 0 || arguments[0] == "$?":
		return before
	case strings.Trim(arguments[0], "0") == "":
		return statuses{zero: true}
	case strings.Trim(arguments[0], "0123456789") == "":
		return statuses{other: true}
	}
	return statuses{zero: true, other: true}
}

// statusesOf is the statuses of a simple command; an assignment may have that of a substitution.
func statusesOf(words []string) statuses {
	stripped := command(words)
	if len(stripped) == 0 {
		return statuses{zero: true, other: true}
	}
	switch path.Base(stripped[0]) {
	case "true", ":", "echo", "printf", "date", "sleep", "pwd", "hostname", "id", "whoami", "uname", "uptime":
		return statuses{zero: true}
	case "ps": // it fails if there is no process that it is told to look for
		return statuses{zero: true, other: slices.ContainsFunc(stripped[1:], looksForProcess)}
	case "false":
		return statuses{other: true}
	}
	return statuses{zero: true, other: true}
}

// isFilter reports whether a program at the end of a pipe succeeds whatever it reads.
func isFilter(words []string) bool {
	if len(words) == 0 {
		return false
	}
	switch path.Base(words[0]) {
	case "cat", "tee", "head", "tail", "tr", "cut", "sort", "uniq", "wc", "rev", "tac", "nl", "fold", "column", "logger", "true", ":", "echo", "printf":
		return true
	case "sed": // q and Q may give a status
		return !slices.ContainsFunc(words[1:], func(word string) bool { return strings.ContainsAny(word, "qQ") })
	case "awk", "gawk", "mawk":
		return !slices.ContainsFunc(words[1:], func(word string) bool { return strings.Contains(word, "exit") })
	}
	return false
}
