// Package script is the language in which a scenario tells its programs what to do, read by the
// player and by the simulation (player/main.go has the words).
package script

import (
	"fmt"
	"strconv"
	"strings"
)

// OfInstance picks the part of "a|b|c" that is meant for an instance, counted from 1.
func OfInstance(text string, instance int) string {
	parts := strings.Split(text, "|")
	return parts[min(max(instance, 1), len(parts))-1]
}

// StepAt is the nth step of "ax3,b", counted from 0; the last one goes on for ever. An empty script
// has empty steps.
func StepAt(script string, n int) (string, error) {
	steps := strings.Split(script, ",")
	for i, step := range steps {
		what, count, err := parseStep(step)
		if err != nil {
			return "", err
		}
		if n < count || i == len(steps)-1 {
			return what, nil
		}
		n -= count
	}
	return "", nil
}

// parseStep reads "ax3".
func parseStep(step string) (what string, times int, err error) {
	i := strings.LastIndex(step, "x")
	if i <= 0 || step[i+1:] == "" || strings.Trim(step[i+1:], "0123456789") != "" {
		return step, 1, nil
	}
	if times, err = strconv.Atoi(step[i+1:]); err != nil {
		return "", 0, fmt.Errorf("cannot read step %q: %w", step, err)
	}
	return step[:i], times, nil
}

// Answers reads "/live=200x3,500;/ready=503" into a script per name.
func Answers(text string) (map[string]string, error) {
	scripts := map[string]string{}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' }) {
		name, script, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("cannot read answers %q", part)
		}
		scripts[name] = script
	}
	return scripts, nil
}
