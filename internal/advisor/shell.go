package advisor

import "strings"

// simpleCommands splits a shell script into the commands that it runs, each as words without
// quotes; those inside $(…) and `…` are among them. It knows enough of the shell's grammar to read
// probes: quotes, operators, redirections, reserved words. It never fails: what it does not
// understand stays in the words. Variables are left as they are.
func simpleCommands(script string) [][]string {
	s := &shellScanner{}
	s.scan(script, 0)
	return s.commands
}

// maxNesting bounds $( $( … ) ): people do not write more, but a file may hold anything.
const maxNesting = 8

// shellScanner collects commands. Not safe for concurrent use.
type shellScanner struct {
	commands [][]string
}

// shellLine is the command that is being read.
type shellLine struct {
	words []string
	word  strings.Builder
	// open means that a word has begun, redirected that the next one is the name of a file.
	open, redirected bool
}

func (l *shellLine) endWord() {
	if l.open && !l.redirected {
		l.words = append(l.words, l.word.String())
	}
	l.redirected = l.redirected && !l.open
	l.word.Reset()
	l.open = false
}

func (s *shellScanner) endCommand(l *shellLine) {
	l.endWord()
	if words := command(l.words); len(words) > 0 {
		s.commands = append(s.commands, words)
	}
	l.words, l.redirected = nil, false
}

func (s *shellScanner) scan(script string, depth int) {
	if depth > maxNesting {
		return
	}
	l := &shellLine{}
	for i := 0; i < len(script); {
		i += s.step(l, script[i:], depth)
	}
	s.endCommand(l)
}

// step reads what stands at the beginning of the text and returns how many bytes that is.
func (s *shellScanner) step(l *shellLine, text string, depth int) int {
	switch c := text[0]; {
	case c == ' ', c == '\t', c == '\r':
		l.endWord()
	case strings.IndexByte("\n;&|()", c) >= 0:
		s.endCommand(l)
	case c == '#' && !l.open:
		return strings.IndexByte(text+"\n", '\n')
	case c == '<', c == '>':
		l.endWord()
		l.redirected = true
		return len(text) - len(strings.TrimLeft(text, "<>&-"))
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
