package drill

import (
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/manifest"
)

const twoContainers = `
apiVersion: v1
kind: Pod
metadata: {name: web, annotations: {probity.run/drill.deadlock.proxy: "true"}}
spec:
  terminationGracePeriodSeconds: 7
  initContainers:
  - {name: once, image: a}
  - {name: log, image: a, restartPolicy: Always}
  containers:
  - {name: proxy, image: a, livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 30}}
  - name: web
    image: a
    readinessProbe: {tcpSocket: {port: 80}}
    livenessProbe: {tcpSocket: {port: 80}, terminationGracePeriodSeconds: 3}
`

// TestContainers: which containers a workload has, and what it looks like from each of them.
func TestContainers(t *testing.T) {
	set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(twoContainers)}, "-")
	if err != nil {
		t.Fatal(err)
	}
	w := targetsOf(set.Objects)[0]
	if w.Container != "web" || len(w.Beside) != 2 || w.Beside[0].Name != "proxy" || w.Beside[1].Name != "log" {
		t.Fatalf("container %s, beside %+v", w.Container, w.Beside)
	}
	if got := w.deadlocks(); len(got) != 1 || got[0] != "proxy" {
		t.Errorf("deadlocks in %v", got)
	}
	for container, want := range map[string]struct {
		grace  Offset
		line   int
		probes int
	}{"": {3 * second, 12, 2}, "web": {3 * second, 12, 2}, "proxy": {7 * second, 11, 1}, "log": {7 * second, 9, 0}} {
		seen := w.seenBy(Fault{Container: container})
		if seen.Grace != want.grace || seen.Line != want.line || len(seen.Probes) != want.probes || len(seen.Beside) != 2 {
			t.Errorf("%s: grace %v, line %d, probes %v, beside %v; want %v", container, seen.Grace, seen.Line, seen.Probes, seen.Beside, want)
		}
		if p, by := seen.notices(); p == nil || by != "web" {
			t.Errorf("%s: noticed by %s, %v", container, by, p)
		}
		if again := seen.seenBy(Fault{Container: container}); again.Container != seen.Container || len(again.Beside) != 2 {
			t.Errorf("%s: seen twice it is %+v", container, again.Workload)
		}
		if worst := seen.slowest(); worst.Seconds() < 90 {
			t.Errorf("%s: the slowest acts within %v", container, worst)
		}
	}
}
