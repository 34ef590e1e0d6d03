package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHowToIsPlayed: the lines of the how-to are those that a script plays, in their order.
func TestHowToIsPlayed(t *testing.T) {
	page, err := os.ReadFile("../../docs/how-to/run-in-the-background.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/background.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```sh\n")
	block, _, _ = strings.Cut(block, "```")
	var shown, played []string
	for line := range strings.Lines(block) {
		command, _, _ := strings.Cut(line, "#")
		shown = append(shown, strings.TrimSpace(command))
	}
	for line := range strings.Lines(string(script)) {
		if command, ok := strings.CutPrefix(line, "exec "); ok && len(played) < len(shown) {
			command, _, _ = strings.Cut(command, " &") // the script goes on meanwhile
			played = append(played, strings.TrimSpace(command))
		}
	}
	if len(shown) != 10 {
		t.Errorf("the page shows %d lines, and promises ten", len(shown))
	}
	if diff := cmp.Diff(shown, played); diff != "" {
		t.Errorf("shown and played (-shown +played):\n%s", diff)
	}
}
