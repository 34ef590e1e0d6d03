// Package scenario has the scenarios of the differential tests: each is a manifest, a script of
// what its programs do, which stands in their arguments, and what somebody does to it from outside.
package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scenario is one of them.
type Scenario struct {
	// ID is that of the conformance case, or of the first of several; a letter may follow.
	ID string
	// Title says what happens and what it is about.
	Title string
	// Manifest is YAML, in which PLAYER stands for the program and no container has an image.
	Manifest string
	// Steps are taken in order.
	Steps []Step
	// Starts is the number of processes that must have started before the end. Default 1.
	Starts int
	// Length is how long is watched from then on. Default 10 s.
	Length time.Duration
	// Period is the longest time between two probes, in seconds, if it is more than one.
	Period float64
	// Decided is why Probity differs, in the sense of docs/differences.md. Empty if it must not.
	Decided string
	// Quick says that it is short and belongs to the tests that everyone runs.
	Quick bool
}

// Step is something that is done from outside: one of a deletion, a condition and a manifest.
type Step struct {
	// At is when, counted from the first start of a process.
	At time.Duration
	// Delete is the name of a Pod to delete, with a grace period in seconds if it is not its own.
	Delete string
	Grace  *int64
	// Condition is to be set to Status on Pod.
	Condition, Status, Pod string
	// Apply is a manifest that changes what is there.
	Apply string
}

// Watched is how long is watched after the last start that is waited for.
func (s Scenario) Watched() time.Duration { return cmp.Or(s.Length, 10*time.Second) }

// All are the scenarios in the order of their ids.
func All() []Scenario {
	all := slices.Concat(liveness(), readiness(), startup(), http(), request(), errors(), tcp(), exec(), grpc(), kills(), restarts(), status(), endpoints(), rollouts(), sidecars(), restartRules())
	slices.SortFunc(all, func(a, b Scenario) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// pod is a Pod called web.
func pod(spec string, containers ...string) string {
	return named("web", spec, containers...)
}

func named(name, spec string, containers ...string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: %s, labels: {app: web}}\nspec:\n%s  containers:\n%s", name, lines(spec, "  "), strings.Join(containers, ""))
}

// container is a container that runs the player with these arguments and has these probes and other
// fields, a line each.
func container(name, args, fields string) string {
	return containerAt(name, 8080, args, fields)
}

// app is a container called app.
func app(args, fields string) string { return container("app", args, fields) }

func quoted(words []string) string {
	q := make([]string, len(words))
	for i, w := range words {
		q[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(q, ", ")
}

// lines indents a text of lines.
func lines(text, indent string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(indent + strings.TrimRight(line, "\n") + "\n")
		}
	}
	return b.String()
}

// live, ready and start are probes by HTTP, once a second; more is further fields.
func live(failures int, more ...string) string {
	return probe("livenessProbe", "httpGet: {path: /live, port: 8080}", failures, more)
}

func ready(failures int, more ...string) string {
	return probe("readinessProbe", "httpGet: {path: /ready, port: 8080}", failures, more)
}

func start(failures int, more ...string) string {
	return probe("startupProbe", "httpGet: {path: /start, port: 8080}", failures, more)
}

// probe is a probe with a handler, once a second unless more says otherwise.
func probe(name, handler string, failures int, more []string) string {
	fields := append([]string{handler, fmt.Sprintf("failureThreshold: %d", failures)}, more...)
	if !slices.ContainsFunc(more, func(f string) bool { return strings.HasPrefix(f, "periodSeconds") }) {
		fields = append(fields, "periodSeconds: 1")
	}
	return name + ": {" + strings.Join(fields, ", ") + "}\n"
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// containerAt is a container whose player serves HTTP at another port than 8080.
func containerAt(name string, port int, args, fields string) string {
	words := append([]string{"PLAYER", "serve", "-name=" + name, fmt.Sprintf("-http=%d", port)}, strings.Fields(args)...)
	return fmt.Sprintf("  - name: %s\n    command: [%s]\n    ports: [{name: http-%s, containerPort: %d}]\n%s", name, quoted(words), name, port, lines(fields, "    "))
}

// twoPorts is a container called app whose player also serves a second port, 8443.
func twoPorts(args, fields string) string { return secondPort(app(args, fields)) }

// secondPort declares the second port of a container.
func secondPort(container string) string {
	return strings.Replace(container, "containerPort: 8080}]", "containerPort: 8080}, {name: second, containerPort: 8443}]", 1)
}

// Choose finds scenarios by their ids; none means all.
func Choose(ids []string) ([]Scenario, error) {
	all := All()
	if len(ids) == 0 {
		return all, nil
	}
	var chosen []Scenario
	for _, id := range ids {
		i := slices.IndexFunc(all, func(s Scenario) bool { return s.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("cannot find the scenario %q", id)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
