package manifest

import (
	"errors"
	"strings"
)

var (
	errOpenQuote     = errors.New("a quote is not closed")
	errLastBackslash = errors.New("a backslash at the end has nothing to escape")
)

// SplitWords splits a command line into words as a POSIX shell does, and does nothing else a shell
// would: no variables, no wildcards, no operators. Between '…' all is literal; between "…" a
// backslash escapes ", \, $ and ` (and hides a line break); elsewhere it escapes the next
// character. Quotes make an empty word. An open quote is an error.
func SplitWords(line string) ([]string, error) {
	var words []string
	for {
		line = strings.TrimLeft(line, " \t\r\n")
		if after, continued := strings.CutPrefix(line, "\\\n"); continued {
			line = after
			continue
		}
		if line == "" {
			return words, nil
		}
		word, rest, err := firstWord(line)
		if err != nil {
			return nil, err
		}
		words, line = append(words, word), rest
	}
}

// firstWord takes one word off a line that starts with it.
func firstWord(line string) (word, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(line); {
		switch c := line[i]; c {
		case ' ', '\t', '\r', '\n':
			return b.String(), line[i:], nil
		case '\'':
			quoted, _, closed := strings.Cut(line[i+1:], "'")
			if !closed {
				return "", "", errOpenQuote
			}
			b.WriteString(quoted)
			i += len(quoted) + 2
		case '"':
			n, err := doubleQuoted(&b, line[i+1:])
			if err != nil {
				return "", "", err
			}
			i += n + 1
		case '\\':
			if i+1 == len(line) {
				return "", "", errLastBackslash
			}
			if line[i+1] != '\n' {
				b.WriteByte(line[i+1])
			}
			i += 2
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), "", nil
}

// doubleQuoted writes what stands before the closing quote and returns how many bytes that took,
// the quote included.
func doubleQuoted(b *strings.Builder, s string) (int, error) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1, nil
		case c == '\\' && i+1 < len(s) && strings.IndexByte("\"\\$`\n", s[i+1]) >= 0:
			i++
			if s[i] != '\n' {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return 0, errOpenQuote
}
