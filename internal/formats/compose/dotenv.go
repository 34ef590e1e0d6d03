package compose

import (
	"fmt"
	"strings"
)

// variable is a line of an environment file.
type variable struct {
	name, value string
	// bare means that the line is a name alone: the value is that of the environment.
	bare bool
}

// parseEnv reads an environment file: NAME=value lines, comments, quotes, "export" before a name. A
// value in single quotes is literal; others are interpolated, from the lines before and lookup.
func parseEnv(text string, lookup func(string) (string, bool)) ([]variable, error) {
	var all []variable
	known := map[string]string{}
	find := func(name string) (string, bool) {
		if v, ok := lookup(name); ok {
			return v, true
		}
		v, ok := known[name]
		return v, ok
	}
	rest := strings.TrimPrefix(strings.ReplaceAll(text, "\r\n", "\n"), "\ufeff")
	for line := 1; rest != ""; {
		before := rest
		v, after, ok, err := firstVariable(rest, find)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if ok {
			all = append(all, v)
			if !v.bare {
				known[v.name] = v.value
			}
		}
		rest = after
		line += strings.Count(before[:len(before)-len(after)], "\n")
	}
	return all, nil
}

// firstVariable reads one line, or the lines of a quoted value. ok is false for one that is empty
// or a comment.
func firstVariable(text string, lookup func(string) (string, bool)) (v variable, rest string, ok bool, err error) {
	line, rest, _ := strings.Cut(text, "\n")
	line = strings.TrimLeft(line, " \t")
	if trimmed := strings.TrimSpace(line); trimmed == "" || trimmed[0] == '#' {
		return variable{}, rest, false, nil
	}
	line = strings.TrimPrefix(line, "export ")
	end := strings.IndexAny(line, "=:")
	if end < 0 {
		name, _, _ := strings.Cut(line, "#")
		v = variable{name: strings.TrimSpace(name), bare: true}
		if strings.ContainsAny(v.name, " \t") {
			return v, rest, false, fmt.Errorf("expected NAME=value, got %q", v.name)
		}
		return v, rest, true, nil
	}
	v.name = strings.TrimSpace(line[:end])
	if v.name == "" || strings.ContainsAny(v.name, " \t") {
		return v, rest, false, fmt.Errorf("expected NAME=value, got %q", v.name)
	}
	written := strings.TrimLeft(line[end+1:], " \t")
	if written != "" && (written[0] == '\'' || written[0] == '"') {
		whole := text[strings.Index(text, line)+len(line)-len(written):]
		v.value, rest, err = quoted(whole, lookup)
		return v, rest, true, err
	}
	v.value, err = Interpolate(withoutComment(written), lookup, nil)
	return v, rest, true, err
}

// withoutComment is an unquoted value: up to a # that follows a space.
func withoutComment(s string) string {
	for i := range s {
		if s[i] == '#' && (i == 0 || s[i-1] == ' ' || s[i-1] == '\t') {
			s = s[:i]
			break
		}
	}
	return strings.TrimRight(s, " \t")
}

// quoted reads a value that begins with a quote, and returns what follows its line.
func quoted(text string, lookup func(string) (string, bool)) (value, rest string, err error) {
	quote := text[0]
	end := 1
	for ; end < len(text) && text[end] != quote; end++ {
		if text[end] == '\\' && quote == '"' {
			end++
		}
	}
	if end >= len(text) {
		return "", "", fmt.Errorf("the quote %c is not closed", quote)
	}
	_, rest, _ = strings.Cut(text[end:], "\n")
	if quote == '\'' {
		return text[1:end], rest, nil
	}
	plain := strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\"`, `"`, `\$`, "$$", `\\`, `\`).Replace(text[1:end])
	value, err = Interpolate(plain, lookup, nil)
	return value, rest, err
}
