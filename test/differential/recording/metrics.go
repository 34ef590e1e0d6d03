package recording

import (
	"os"
	"regexp"
	"slices"
	"strings"
)

var (
	label = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)
	// closed are the labels whose values are the system's own; others name what runs.
	closed = []string{"probe_type", "result", "le"}
)

// Shape is what Prometheus' text says of metrics whatever runs: types, and series with the labels
// and those of their values that are not names. It is in order, and has each line once.
func Shape(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		series, _, _ := strings.Cut(line, " ")
		switch name, labels, _ := strings.Cut(series, "{"); {
		case line == "":
		case strings.HasPrefix(line, "# TYPE "):
			lines = append(lines, line)
		case !strings.HasPrefix(line, "#"):
			words := []string{name}
			for _, found := range label.FindAllStringSubmatch(labels, -1) {
				if !slices.Contains(closed, found[1]) {
					found[2] = "…"
				}
				words = append(words, found[1]+"="+found[2])
			}
			slices.Sort(words[1:])
			lines = append(lines, strings.Join(words, " "))
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// WriteShape writes a shape.
func WriteShape(path string, lines []string) error {
	return os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// ReadShape reads what WriteShape wrote.
func ReadShape(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	return strings.Split(strings.TrimSpace(string(data)), "\n"), err
}
