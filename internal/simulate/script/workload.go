package script

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/printable"
)

// Workload is an object of a manifest that makes Pods, with the names of their containers.
type Workload struct {
	Kind, Name string
	Containers []string
}

// String gives "deployment/web", as kubectl names it.
func (w Workload) String() string { return strings.ToLower(w.Kind) + "/" + w.Name }

// named reports whether text means the workload: "deployment/web" or "deploy/web", as kubectl takes
// it, or "web" alone.
func (w Workload) named(text string) bool {
	kind, name, some := strings.Cut(strings.ToLower(text), "/")
	if !some {
		return text == w.Name
	}
	if long, ok := shortKinds()[kind]; ok {
		kind = long
	}
	return name == w.Name && (kind == strings.ToLower(w.Kind) || kind == strings.ToLower(w.Kind)+"s")
}

// shortKinds are kubectl's abbreviations.
func shortKinds() map[string]string {
	return map[string]string{
		"po": "pod", "deploy": "deployment", "rs": "replicaset", "rc": "replicationcontroller", "sts": "statefulset", "ds": "daemonset", "cj": "cronjob",
	}
}

// HappensIn reports whether the fault happens to Pods of the workload.
func (f *Fault) HappensIn(w Workload) bool { return f.Workload == "" || w.named(f.Workload) }

// Program is what is known of the program of a workload's container. What is said of the workload
// comes first: "deployment/web:server", "deployment/web:*", "server", "*".
func (s *Script) Program(w Workload, container string) Program {
	for _, name := range []string{container, anyContainer} {
		for _, key := range slices.Sorted(maps.Keys(s.Programs)) {
			if workload, of, some := strings.Cut(key, ":"); some && of == name && w.named(workload) {
				return s.Programs[key]
			}
		}
	}
	return s.program(container)
}

// program is what is known of a container's program, whatever its workload.
func (s *Script) program(container string) Program {
	if p, ok := s.Programs[container]; ok {
		return p
	}
	if p, ok := s.Programs[anyContainer]; ok {
		return p
	}
	return DefaultProgram()
}

// anyContainer stands for every container that is not named.
const anyContainer = "*"

// Check finds workloads and containers that the script names and the manifest does not have.
func (s *Script) Check(all []Workload) error {
	for _, key := range slices.Sorted(maps.Keys(s.Programs)) {
		workload, container, some := strings.Cut(key, ":")
		if !some {
			workload, container = "", key
		}
		if container == anyContainer {
			container = ""
		}
		if err := check(all, workload, container); err != nil {
			return err
		}
	}
	for _, f := range s.Faults {
		if err := check(all, f.Workload, f.Container); err != nil {
			return err
		}
	}
	return nil
}

// check looks for a workload and its container; "" means any.
func check(all []Workload, workload, container string) error {
	meant := slices.DeleteFunc(slices.Clone(all), func(w Workload) bool { return workload != "" && !w.named(workload) })
	if len(meant) == 0 {
		var names []string
		for _, w := range all {
			names = append(names, w.String())
		}
		return fmt.Errorf("the script speaks of workload %s, which the manifest does not have: it has %v", printable.Quote(workload), first(names))
	}
	if container == "" {
		return nil
	}
	known := map[string]bool{}
	for _, w := range meant {
		for _, c := range w.Containers {
			known[c] = true
		}
	}
	if known[container] {
		return nil
	}
	who := "the manifest"
	if workload != "" {
		who = meant[0].String()
	}
	return fmt.Errorf("the script speaks of container %s, which %s does not have: it has %v", printable.Quote(container), who, first(slices.Sorted(maps.Keys(known))))
}

// maxNames is how many names a message lists.
const maxNames = 20

// first are the first names of a list, and how many there are more.
func first(names []string) []string {
	if len(names) <= maxNames {
		return names
	}
	return append(slices.Clone(names[:maxNames]), fmt.Sprintf("and %d more", len(names)-maxNames))
}
