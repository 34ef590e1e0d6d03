package probitytest

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/probity-run/probity/internal/printable"
)

// commands are the programs that stand for images, those of Go packages included.
func (o Options) commands(t testing.TB) (map[string]string, error) {
	commands := maps.Clone(o.Commands)
	if commands == nil {
		commands = map[string]string{}
	}
	for i, container := range slices.Sorted(maps.Keys(o.Packages)) {
		if _, twice := commands[container]; twice {
			return nil, fmt.Errorf("container %s has a program in both Commands and Packages", container)
		}
		program, err := build(t, o.Packages[container], strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		commands[container] = printable.Shell(program)
	}
	return commands, nil
}

// build builds a Go package in a folder of the test.
func build(t testing.TB, pkg, name string) (program string, err error) {
	program = filepath.Join(t.TempDir(), name)
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, pkg).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cannot build %s: %w\n%s", pkg, err, out)
	}
	return program, nil
}
