//go:build !race

package fix_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The tests of this file take a minute with the race detector, which finds nothing where one
// goroutine runs.

// Every patch of every rule's fixtures is applied in all layouts, or something worse is in the way.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("../rules/*/testdata/bad*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// fields that are there twice have no JSON form here
		if strings.Contains(file, "manifestinvalid") {
			t.Run(file, func(t *testing.T) { holds(t, "a.yaml", string(text)) })
			continue
		}
		for layout, text := range layouts(t, string(text)) {
			t.Run(strings.Split(file, "/")[2]+"/"+layout, func(t *testing.T) {
				_, after := holds(t, "a.yaml", text)
				for _, f := range after {
					if f.Patch != nil {
						t.Errorf("not fixed: %s: %s", f.Key(), f.Patch.Summary)
					}
				}
			})
		}
	}
}

// generated is a manifest with the numbers of probes that people write, some of them in conflict.
func generated(r *rand.Rand) string {
	pick := func(list ...int) int { return list[r.IntN(len(list))] }
	probe := func(path string) string {
		text := fmt.Sprintf("{httpGet: {path: %s, port: 8080}, periodSeconds: %d, timeoutSeconds: %d, failureThreshold: %d", path, pick(1, 2, 5, 10, 30), pick(1, 1, 2, 5, 30), pick(1, 1, 3, 5))
		if delay := pick(0, 0, 5, 60, 120, 300); delay > 0 {
			text += fmt.Sprintf(", initialDelaySeconds: %d", delay)
		}
		return text + "}"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "        readinessProbe: %s\n", probe("/r"))
	fmt.Fprintf(&b, "        livenessProbe: %s\n", probe([]string{"/r", "/l"}[r.IntN(2)]))
	if r.IntN(3) == 0 {
		fmt.Fprintf(&b, "        startupProbe: {httpGet: {path: /l, port: 8080}, periodSeconds: %d, failureThreshold: %d}\n", pick(1, 3, 10), pick(3, 10, 60))
	}
	if r.IntN(2) == 0 {
		fmt.Fprintf(&b, "        lifecycle: {preStop: {exec: {command: [sleep, '%d']}}}\n", pick(5, 15, 30, 90))
	}
	if r.IntN(4) == 0 {
		b.WriteString("        resources: {limits: {cpu: 50m}}\n")
	}
	fmt.Fprintf(&b, "      terminationGracePeriodSeconds: %d\n", pick(1, 20, 30, 120, 150, 600))
	text := deployment(b.String())
	return strings.Replace(text, "kind: Deployment\nmetadata: {name: web}\nspec:\n", fmt.Sprintf("kind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: %d\n  progressDeadlineSeconds: %d\n  minReadySeconds: %d\n",
		pick(1, 3, 50), pick(30, 60, 120, 600), pick(0, 5, 20)), 1)
}

func TestGenerated(t *testing.T) {
	fixed, unfixed := 0, 0
	for seed := range uint64(150) {
		text := generated(rand.New(rand.NewPCG(seed, 1)))
		all := layouts(t, text)
		names := slices.Sorted(func(yield func(string) bool) {
			for name := range all {
				if !yield(name) {
					return
				}
			}
		})
		layout := names[seed%uint64(len(names))]
		t.Run(fmt.Sprint(seed, " ", layout), func(t *testing.T) {
			before, after := holds(t, "a.yaml", all[layout])
			fixed += len(before) - len(after)
			for _, f := range after {
				if f.Patch != nil {
					unfixed++
				}
			}
		})
	}
	if fixed < 100 || unfixed > fixed/10 {
		t.Errorf("%d findings fixed, %d with a patch not", fixed, unfixed)
	}
}
