package advisor

import "strings"

// tokenEnd returns the column after the YAML token that begins at the column: a key without its
// colon, a plain or a quoted value. It stays on the line.
func tokenEnd(line string, column int) int {
	runes := []rune(line)
	start := column - 1
	if start < 0 || start >= len(runes) {
		return column + 1
	}
	if q := runes[start]; q == '"' || q == '\'' {
		return quotedEnd(runes, start) + 1
	}
	if strings.ContainsRune("{[", runes[start]) {
		return column + 1
	}
	end := start
	for end < len(runes) && !endsPlain(runes, end) {
		end++
	}
	for end > start+1 && (runes[end-1] == ' ' || runes[end-1] == '\t') {
		end--
	}
	return max(end, start+1) + 1
}

// quotedEnd is the index after the closing quote, or the end of the line.
func quotedEnd(runes []rune, start int) int {
	for i := start + 1; i < len(runes); i++ {
		switch {
		case runes[i] == '\\' && runes[start] == '"':
			i++
		case runes[i] == runes[start]:
			if runes[start] == '\'' && i+1 < len(runes) && runes[i+1] == '\'' {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(runes)
}

// endsPlain reports whether a plain token cannot go on at i: ": ", " #", and what structures a flow
// collection. A value in block style may contain the latter, but no value that findings are about
// does.
func endsPlain(runes []rune, i int) bool {
	next := func(s string) bool { return i+1 == len(runes) || strings.ContainsRune(s, runes[i+1]) }
	switch runes[i] {
	case ':':
		return next(" \t\r,}]")
	case '#':
		return i > 0 && (runes[i-1] == ' ' || runes[i-1] == '\t')
	case ',', '}', ']':
		return true
	}
	return false
}
