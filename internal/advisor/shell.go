package advisor

import (
	"slices"
	"strings"
)

// simpleCommands splits a shell script into the commands that it runs, each as words without
// quotes; those inside $(…) and `…` are among them.
func simpleCommands(script string) [][]string {
	var list [][]string
	for _, c := range shellCommands(script) {
		if words := command(c.words); len(words) > 0 {
			list = append(list, words)
		}
	}
	return list
}

// shellCommand is a simple command of a script.
type shellCommand struct {
	// words are without quotes, reserved words and assignments among them.
	words []string
	// operator stands after it: ";" (for the end of a line, too), "&", "&&", "||", "|", "(", ")",
	// or "" at the end of the script.
	operator string
	// depth is how many substitutions it is in.
	depth int
	// output is the file that gets its standard output, or empty.
	output string
	// opens means that a redirection opens a file or a connection, and the command fails if there
	// is none.
	opens bool
	// hereDocument means that text of the script which is no command follows.
	hereDocument bool
}

// shellCommands splits a shell script into simple commands; those in a substitution come before the
// command that contains it. It knows enough of the shell's grammar to read probes: quotes,
// operators, redirections. It never fails: what it does not understand stays in the words.
// Variables are left as they are.
func shellCommands(script string) []shellCommand {
	s := &shellScanner{}
	s.scan(script, 0)
	return s.commands
}

// maxNesting bounds $( $( … ) ): people do not write more, but a file may hold anything.
const maxNesting = 8

// shellScanner collects commands. Not safe for concurrent use.
type shellScanner struct {
	commands []shellCommand
}

// shellLine is the command that is being read.
type shellLine struct {
	command shellCommand
	word    strings.Builder
	// open means that a word has begun.
	open bool
	// redirection is the operator whose file the next word is, or empty.
	redirection string
}

func (l *shellLine) endWord() {
	if !l.open {
		return
	}
	word := l.word.String()
	switch l.redirection {
	case "":
		l.command.words = append(l.command.words, word)
	case ">", ">>", ">|", "&>", "&>>":
		l.command.output = word
	}
	l.command.opens = l.command.opens || opens(l.redirection, word)
	l.redirection, l.open = "", false
	l.word.Reset()
}

// opens reports whether a redirection can fail: it opens something else than what is always there.
func opens(redirection, file string) bool {
	operator := strings.TrimLeft(redirection, "0123456789")
	isText := strings.HasPrefix(operator, "<<") // a here-document, or a string
	isCopy := strings.ContainsRune(operator, '&') && operator != "&>" && operator != "&>>"
	return operator != "" && !isText && !isCopy && !slices.Contains([]string{"/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr"}, file)
}

// redirect begins a redirection, with the number of the descriptor before it, if there is one.
func (l *shellLine) redirect(operator string) {
	descriptor := l.word.String()
	if l.open && strings.Trim(descriptor, "0123456789") == "" && l.redirection == "" {
		l.open = false
		l.word.Reset()
		if descriptor != "1" {
			operator = descriptor + operator // not the standard output
		}
	}
	l.endWord()
	// it closes, and no file follows
	if l.redirection = operator; strings.HasSuffix(operator, "&-") {
		l.redirection = ""
	}
	l.command.hereDocument = l.command.hereDocument || operator == "<<" || operator == "<<-"
}

func (s *shellScanner) endCommand(l *shellLine, operator string, depth int) {
	l.endWord()
	l.command.operator, l.command.depth = operator, depth
	if len(l.command.words) > 0 || l.command.opens || operator == "(" || operator == ")" {
		s.commands = append(s.commands, l.command)
	} else if n := len(s.commands); n > 0 && operator == "|" {
		s.commands[n-1].operator = operator // after a group: ( … ) |
	}
	l.command, l.redirection = shellCommand{}, ""
}

func (s *shellScanner) scan(script string, depth int) {
	if depth > maxNesting {
		return
	}
	l := &shellLine{}
	for i := 0; i < len(script); {
		i += s.step(l, script[i:], depth)
	}
	s.endCommand(l, "", depth)
}

// operator is the operator that the text begins with: ";", "&&" and so on.
func operator(text string) string {
	for _, two := range []string{"&&", "||", ";;", "|&"} {
		if strings.HasPrefix(text, two) {
			return two
		}
	}
	return text[:1]
}

// step reads what stands at the beginning of the text and returns how many bytes that is.
func (s *shellScanner) step(l *shellLine, text string, depth int) int {
	switch c := text[0]; {
	case c == ' ', c == '\t', c == '\r':
		l.endWord()
	case c == '<', c == '>', strings.HasPrefix(text, "&>"):
		n := len(text) - len(strings.TrimLeft(text, "<>&|-"))
		l.redirect(text[:n])
		return n
	case strings.IndexByte("\n;&|()", c) >= 0:
		op := operator(text)
		s.endCommand(l, strings.NewReplacer("\n", ";", ";;", ";", "|&", "|").Replace(op), depth)
		return len(op)
	case c == '#' && !l.open:
		return strings.IndexByte(text+"\n", '\n')
	case c == '\\':
		if len(text) > 1 && text[1] != '\n' {
			l.word.WriteByte(text[1])
			l.open = true
		}
		return 2
	default:
		l.open = true
		return s.piece(&l.word, text, depth)
	}
	return 1
}

// piece reads a quoted string, a substitution or one character, writes what it stands for, and
// returns how many bytes it read.
func (s *shellScanner) piece(word *strings.Builder, text string, depth int) int {
	switch {
	case text[0] == '\'':
		quoted, _, _ := strings.Cut(text[1:], "'")
		word.WriteString(quoted)
		return min(len(quoted)+2, len(text))
	case text[0] == '"':
		return s.quoted(word, text, depth)
	case strings.HasPrefix(text, "$("):
		n := closing(text, '(', ')')
		s.scan(text[2:max(n-1, 2)], depth+1)
		word.WriteString(text[:n])
		return n
	case strings.HasPrefix(text, "${"):
		n := closing(text, '{', '}')
		word.WriteString(text[:n])
		return n
	case text[0] == '`':
		inner, _, _ := strings.Cut(text[1:], "`")
		s.scan(inner, depth+1)
		n := min(len(inner)+2, len(text))
		word.WriteString(text[:n])
		return n
	}
	word.WriteByte(text[0])
	return 1
}

// quoted reads a string in double quotes, in which there may be substitutions.
func (s *shellScanner) quoted(word *strings.Builder, text string, depth int) int {
	i := 1
	for i < len(text) && text[i] != '"' {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			word.WriteByte(text[i+1])
			i += 2
		case text[i] == '\'':
			word.WriteByte(text[i])
			i++
		default:
			i += s.piece(word, text[i:], depth)
		}
	}
	return min(i+1, len(text))
}

// closing is the length of a substitution that begins with "$(" or "${", up to its closing bracket.
func closing(text string, begin, end byte) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case begin:
			depth++
		case end:
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// command strips what stands before a command: reserved words, assignments, and programs that run
// another.
func command(words []string) []string {
	for len(words) > 0 {
		switch w := words[0]; w {
		case "if", "then", "elif", "else", "while", "until", "do", "done", "fi", "!", "{", "}", "exec", "command", "time", "nice", "sudo", "env", "tini", "--":
			words = words[1:]
		default:
			name, _, assigned := strings.Cut(w, "=")
			if !assigned || name == "" || strings.ContainsAny(name, "-/$.:\"'") {
				return words
			}
			words = words[1:]
		}
	}
	return nil
}
