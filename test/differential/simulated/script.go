package simulated

import (
	"fmt"
	"strconv"
	"strings"
)

// The scripts are those of the player (its main.go tells the language), read anew: a program cannot be imported.

// ofInstance picks the part of "a|b|c" that is meant for an instance, counted from 1.
func ofInstance(text string, instance int) string {
	parts := strings.Split(text, "|")
	return parts[min(max(instance, 1), len(parts))-1]
}

// stepAt is the nth step of "ax3,b", counted from 0; the last one goes on for ever.
func stepAt(script string, n int) (string, error) {
	steps := strings.Split(script, ",")
	for i, step := range steps {
		count := 1
		if at := strings.LastIndex(step, "x"); at > 0 && at+1 < len(step) && strings.Trim(step[at+1:], "0123456789") == "" {
			var err error
			if count, err = strconv.Atoi(step[at+1:]); err != nil {
				return "", fmt.Errorf("cannot read step %q: %w", step, err)
			}
			step = step[:at]
		}
		if n < count || i == len(steps)-1 {
			return step, nil
		}
		n -= count
	}
	return "", nil
}

// answersOf reads "/live=200x3,500;/ready=503" into a script per path.
func answersOf(text string) (map[string]string, error) {
	scripts := map[string]string{}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' }) {
		path, script, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("cannot read answers %q", part)
		}
		scripts[path] = script
	}
	return scripts, nil
}
