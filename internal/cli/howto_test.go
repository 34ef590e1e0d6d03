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

// TestHowToTune: what the how-to shows of tune is what its script compares.
func TestHowToTune(t *testing.T) {
	page, err := os.ReadFile("../../docs/how-to/derive-timings-from-measurement.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/tune.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```console\n")
	line, shown, _ := strings.Cut(block, "\n")
	shown, _, _ = strings.Cut(shown, "```")
	_, want, _ := strings.Cut(string(script), "-- want --\n")
	want, _, _ = strings.Cut(want, "-- series.json --")
	if command := strings.TrimPrefix(line, "$ "); !strings.Contains(string(script), "exec "+command+"\n") {
		t.Errorf("the script does not play %q", command)
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("printed and shown (-printed +shown):\n%s", diff)
	}
}
