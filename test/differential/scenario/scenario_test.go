package scenario

import (
	"slices"
	"strings"
	"testing"
)

func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	sections := map[byte]int{}
	for _, s := range All() {
		if seen[s.ID] || s.Title == "" || s.Manifest == "" {
			t.Errorf("%s: the id is there twice, or the title or the manifest is missing", s.ID)
		}
		seen[s.ID] = true
		sections[s.ID[0]]++
	}
	for _, r := range Refusals() {
		if seen[r.ID] {
			t.Errorf("%s is there twice", r.ID)
		}
		seen[r.ID] = true
		sections[r.ID[0]]++
	}
	// Q is about a supervisor's restart, which Probity has not
	for _, letter := range "ABCDEFGHIJKLMNOPS" {
		if sections[byte(letter)] == 0 {
			t.Errorf("section %c has no scenario", letter)
		}
	}
	if quick := slices.IndexFunc(All(), func(s Scenario) bool { return s.Quick }); quick < 0 {
		t.Error("no scenario is quick")
	}
}

func TestChoose(t *testing.T) {
	if got, err := Choose([]string{"B03", "A01"}); err != nil || len(got) != 2 || got[0].ID != "B03" {
		t.Errorf("chosen %v, %v", got, err)
	}
	if _, err := Choose([]string{"Z99"}); err == nil || !strings.Contains(err.Error(), "Z99") {
		t.Errorf("error = %v, want one about Z99", err)
	}
}
