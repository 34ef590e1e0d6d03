package compose

import (
	"fmt"
	"strings"
)

// Interpolate replaces $NAME, ${NAME} and the forms of it with a default in a text, as Compose
// does: ${NAME:-x} and ${NAME-x} give x when the variable is empty or not set (without the colon:
// not set), ${NAME:+x} and ${NAME+x} give x when it is there, ${NAME:?x} and ${NAME?x} are an error
// then; $$ is one $. What stands after the operator is interpolated too. A variable that is not set
// is empty, and its name is given to missing, which may be nil.
func Interpolate(text string, lookup func(name string) (value string, ok bool), missing func(name string)) (string, error) {
	return interpolate(text, lookup, missing, 0)
}

// maxNesting bounds defaults within defaults.
const maxNesting = 20

func interpolate(text string, lookup func(string) (string, bool), missing func(string), depth int) (string, error) {
	if depth > maxNesting {
		return "", fmt.Errorf("variables are nested more than %d deep", maxNesting)
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		text = rest
		switch name := leadingName(rest); {
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			text = rest[1:]
		case name != "":
			b.WriteString(valueOf(name, lookup, missing))
			text = rest[len(name):]
		case strings.HasPrefix(rest, "{"):
			inside, after, closed := cutBraces(rest[1:])
			if !closed {
				return "", fmt.Errorf("the brace of ${%s is not closed; a dollar sign is written $$", rest[1:])
			}
			replaced, err := braced(inside, lookup, missing, depth)
			if err != nil {
				return "", err
			}
			b.WriteString(replaced)
			text = after
		default: // a dollar sign that begins nothing stands for itself
			b.WriteByte('$')
		}
	}
}

// leadingName is the name that a text begins with, or "".
func leadingName(s string) string {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if s[i] == '_' || c >= 'a' && c <= 'z' || i > 0 && s[i] >= '0' && s[i] <= '9' {
			continue
		}
		return s[:i]
	}
	return s
}

func valueOf(name string, lookup func(string) (string, bool), missing func(string)) string {
	value, ok := lookup(name)
	if !ok && missing != nil {
		missing(name)
	}
	return value
}

// cutBraces cuts at the brace that closes one which is open, past the pairs within.
func cutBraces(s string) (inside, after string, ok bool) {
	open := 1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			open++
		case '}':
			if open--; open == 0 {
				return s[:i], s[i+1:], true
			}
		}
	}
	return "", "", false
}

// braced is the value of what stands between braces.
func braced(inside string, lookup func(string) (string, bool), missing func(string), depth int) (string, error) {
	name := leadingName(inside)
	if name == "" {
		return "", fmt.Errorf("${%s} names no variable; a dollar sign is written $$", inside)
	}
	operator := inside[len(name):]
	if operator == "" {
		return valueOf(name, lookup, missing), nil
	}
	value, is := lookup(name)
	if rest, colon := strings.CutPrefix(operator, ":"); colon {
		operator, is = rest, is && value != ""
	}
	if operator == "" {
		return "", fmt.Errorf("${%s} has no form that Compose knows", inside)
	}
	word, err := "", error(nil)
	if plus := operator[0] == '+'; plus == is { // the word counts only then, so its errors do too
		if word, err = interpolate(operator[1:], lookup, missing, depth+1); err != nil {
			return "", err
		}
	}
	switch operator[0] {
	case '-':
		if is {
			return value, nil
		}
		return word, nil
	case '+':
		if is {
			return word, nil
		}
		return "", nil
	case '?':
		if is {
			return value, nil
		}
		if word == "" {
			word = "it is required"
		}
		return "", fmt.Errorf("the variable %s has no value: %s", name, word)
	}
	return "", fmt.Errorf("${%s} has no form that Compose knows", inside)
}
