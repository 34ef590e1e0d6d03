package traffic

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/test/harness"
	"github.com/probity-run/probity/test/load/generator"
	"github.com/probity-run/probity/test/ports"
)

// TestBadServices adds Services that cannot work beside one that does. Events say why they cannot,
// and the working one goes on.
func TestBadServices(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	r := begin(t, w)
	bad := strings.ReplaceAll(`---
apiVersion: v1
kind: Service
metadata: {name: same-port}
spec: {selector: {app: web}, ports: [{name: http, port: PORT, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: wep}, ports: [{name: http, port: FREE1, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: no-such-port}
spec: {selector: {app: web}, ports: [{name: http, port: FREE2, targetPort: htpp}]}
`, "PORT", fmt.Sprint(w.Port))
	bad = strings.NewReplacer("FREE1", fmt.Sprint(ports.Free(t)), "FREE2", fmt.Sprint(ports.Free(t))).Replace(bad)
	report := r.underLoad(generator.Options{Posts: 0.3, Rate: 300}, size(), func(time.Time) {
		r.run.Save(w.manifest() + bad)
		r.run.WaitEvent(2, fmt.Sprintf("Normal Listening Serving port %d at 127.", w.Port)) // of one number, at two addresses
		r.run.WaitEvent(1, "Warning SelectorMatchesNothing The selector app=wep matches no Pod and no Pod template")
		r.run.WaitEvent(1, `Warning UnknownTargetPort targetPort "htpp" of port`)
	})
	r.checkFailures(r.checkRouting(size().slack), report.Failures, func(generator.Request) bool { return false })
}

// TestRolloutThatCannotMove has a Deployment that may have neither a Pod more nor a Pod less. It is
// refused before anything starts, with its place in the file (R207).
func TestRolloutThatCannotMove(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.Strategy = "{type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}"
	r := harness.StartWith(t, harness.Options{NoLogs: true}, w.manifest())
	if code := r.Exit(); code != 2 {
		t.Errorf("exit code = %d, want 2", code)
	}
	want := "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"
	if said := r.Stderr(); !strings.Contains(said, want) || !strings.Contains(said, fmt.Sprintf("pod.yaml:%d:", line(w.manifest(), "maxUnavailable"))) {
		t.Errorf("it said %q, want %q with its place", said, want)
	}
}

// line is the number of the line where a word stands first.
func line(text, word string) int {
	before, _, _ := strings.Cut(text, word)
	return strings.Count(before, "\n") + 1
}

// TestBadReload saves a manifest with an error: nothing changes, the error says where it is, and no
// request is lost.
func TestBadReload(t *testing.T) {
	t.Parallel()
	r := begin(t, newWeb(t))
	before := r.waitReady(3)
	report := r.underLoad(generator.Options{Posts: 0.3, Rate: 300}, size(), func(time.Time) {
		r.run.Save(strings.Replace(r.web.manifest(), "replicas: 3", "replicas: three", 1))
		harness.WaitFor(t, "the error", func() bool { return strings.Contains(r.run.Stderr(), "nothing was changed: ") })
	})
	r.checkFailures(r.checkRouting(size().slack), report.Failures, func(generator.Request) bool { return false })
	r.unchanged(before, "deployment/web unchanged")
}
