package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/terminal"
)

// sayUnused tells which values of --env the files do not refer to, and what they do. A file of
// values may have more than is asked for. Standard input is read but once, so nothing is said then.
func (e *envFlags) sayUnused(out io.Writer, env map[string]string, paths []string) {
	if len(e.values) == 0 || len(paths) == 0 || slices.Contains(paths, "-") {
		return
	}
	var mu sync.Mutex // guards asked
	asked := map[string]bool{}
	ask := func(name string) {
		mu.Lock()
		defer mu.Unlock()
		asked[name] = true
	}
	// what is wrong with the files is told when they are run
	_, _ = manifest.Load(manifest.Options{RegularFiles: true, Formats: formats.All(formats.Options{Run: true, Env: env, Named: paths, Together: true, Asked: ask})}, paths...)
	for _, flag := range e.values {
		if name, _, _ := strings.Cut(flag, "="); !asked[name] {
			terminal.Print(out, fmt.Sprintf("warning: --env %s: nothing in the files refers to it%s", name, formats.Instead(name, slices.Sorted(maps.Keys(asked)))))
		}
	}
}
