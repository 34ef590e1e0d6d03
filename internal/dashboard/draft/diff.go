package draft

import (
	"errors"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/manifest"
)

// Line is a line of a difference.
type Line struct {
	// Sign is '+', '-' or ' '; '…' stands for lines that are left out.
	Sign rune
	Text string
}

// YAML is the object as a person would write it, and others behind it.
func (d *Draft) YAML(others ...manifest.Resource) (string, error) {
	text, err := d.Workload.yaml(d.Values)
	for _, other := range others {
		more, moreErr := yaml.Marshal((Workload{Resource: other}).configuration())
		text, err = text+"---\n"+string(more), errors.Join(err, moreErr)
	}
	return text, err
}

func (w Workload) yaml(v Values) (string, error) {
	text, err := yaml.Marshal(w.Document(v))
	return string(text), err
}

// Diff is the difference between what there is and the draft, as YAML; nil if there is none.
func (d *Draft) Diff() ([]Line, error) {
	now, err := d.Workload.yaml(d.Workload.Values())
	if err != nil {
		return nil, err
	}
	next, err := d.YAML()
	if err != nil {
		return nil, err
	}
	return difference(now, next), nil
}

func difference(now, next string) (lines []Line) {
	text := string(diff.Diff("now", []byte(now), "draft", []byte(next)))
	_, text, ok := strings.Cut(text, "\n+++ draft\n")
	if !ok {
		return nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "@@"):
			if len(lines) > 0 {
				lines = append(lines, Line{'…', ""})
			}
		case line != "":
			lines = append(lines, Line{rune(line[0]), line[1:]})
		}
	}
	return lines
}
