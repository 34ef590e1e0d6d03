package main

import (
	"errors"
	"strings"
	"testing"
)

func TestSummary(t *testing.T) {
	for _, c := range []struct {
		name     string
		verdicts map[string]verdict
		text     string
		fails    string
		tooBusy  bool
	}{
		{"all", map[string]verdict{"A1": recorded, "A2": recorded}, "2 of 2 scenarios: recorded, or like the recording", "", false},
		{"some", map[string]verdict{"A1": recorded, "A3": disturbed, "A2": disturbed, "A4": notPlayed}, "\n2: the machine was too busy to tell: A2 A3\n1: not played in the time there was: A4", "", false},
		{"one is unlike", map[string]verdict{"A1": recorded, "A2": unlike, "A3": disturbed}, "1 of 3", "unlike the recording, twice, and alone: A2; ", false},
		{"nothing is told", map[string]verdict{"A1": disturbed, "A2": notPlayed}, "0 of 2", "of no scenario could be told", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := summary(c.verdicts)
			if !strings.Contains(text, c.text) {
				t.Errorf("the text is %q, without %q", text, c.text)
			}
			if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("the error is %v, want %q", err, c.fails)
			}
			if errors.Is(err, errTooBusy) != c.tooBusy {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
