//go:build kubelet && linux

package deploy

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/probity-run/probity/test/differential/cluster"
)

// waiting is a Deployment that comes up late.
type waiting struct {
	manifest string
	// after is when help comes, as long as it is not up; 0 means that it needs none.
	after time.Duration
	help  func(t *testing.T, namespace string)
}

func waitingOnes(t *testing.T) map[string]waiting {
	absent, slow := startRegistry(t).address+"/late:1", startRegistry(t)
	slow.slowness = 35 * time.Second
	other := filepath.Join(t.TempDir(), "calculator-of-its-own") // which the node has no layer of
	if err := os.Symlink(filepath.Join(site.programs, "calculator"), other); err != nil {
		t.Fatal(err)
	}
	pushed, err := cluster.Pack("calculator:1", other)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]waiting{
		"crashes-twice": {manifest: player(`-life, "0s:1|0s:1|"`, "", "")},
		"image-after-20s": {calculator(t, append(single, calculatorImage, absent)...), 20 * time.Second, func(t *testing.T, _ string) {
			give(t, cluster.Packed{Name: absent, Config: site.calculator.Config, Layer: site.calculator.Layer})
		}},
		"image-pushed-after-20s": {calculator(t, append(single, calculatorImage, slow.address+"/calculator:1")...), 20 * time.Second, func(*testing.T, string) {
			slow.pushed.Store(&pushed)
		}},
		"secret-after-20s": {calculator(t, append(single, "env:\n", "envFrom: [{secretRef: {name: settings}}]\n          env:\n")...), 20 * time.Second, func(t *testing.T, namespace string) {
			bring(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: settings}\nstringData: {a: b}\n", namespace)
		}},
		"ready-after-60s": {manifest: player(`-answers, "/ready=404x60,200"`, "", "")},
		"node-after-40s": {player("", "", "nodeSelector: {probity.test/late: here}"), 40 * time.Second, func(t *testing.T, namespace string) {
			bring(t, "apiVersion: v1\nkind: Node\nmetadata: {name: node, labels: {probity.test/late: here}}\n", namespace)
		}},
	}
}

// TestPatience: no verdict but the good one where waiting is right. The node that is added is the
// only one, which gets the label then that the Pod wants.
func TestPatience(t *testing.T) {
	t.Parallel()
	for name, w := range waitingOnes(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.follow(t, name, namespace(t, name))
		})
	}
}

func (w waiting) follow(t *testing.T, name, namespace string) {
	file := write(t, "app.yaml", w.manifest)
	begun := time.Now()
	if w.help != nil {
		helped := make(chan struct{})
		timer := time.AfterFunc(w.after, func() {
			defer close(helped)
			w.help(t, namespace)
		})
		defer func() {
			if !timer.Stop() {
				<-helped
			}
		}()
	}
	code, lines := deployJSON(t, file, "-n", namespace)
	took := time.Since(begun)
	verdict, _ := find(lines, "verdict", "")
	t.Logf("%s: verdict after %.1f s, exit %d", name, took.Seconds(), code)
	if code != 0 || verdict.Exit != 0 || took < w.after {
		t.Errorf("after %v exit code %d, verdict %+v, want up after %v", took, code, verdict, w.after)
		for _, l := range lines {
			t.Logf("%+v", l)
		}
	}
}

func give(t *testing.T, image cluster.Packed) {
	if err := site.Import(image); err != nil {
		t.Error(err)
	}
}

// bring applies an object.
func bring(t *testing.T, manifest, namespace string) {
	wants(t, 0, nil, write(t, "more.yaml", manifest), "-n", namespace, "--no-set", "--wait=false")
}

// TestOldPods: what Pods of the old revision do while they end is no trouble of the new one. Theirs
// are a hook that fails, a readiness probe that says no, and SIGKILL.
func TestOldPods(t *testing.T) {
	t.Parallel()
	in := namespace(t, "old-pods")
	failing := []string{"replicas: 3", "replicas: 2", "args: [-weights-size, 4MiB]",
		"args: [-weights-size, 4MiB, -drain, 60s]\n          lifecycle: {preStop: {exec: {command: [/absent]}}}"}
	wants(t, 0, nil, write(t, "calculator.yaml", calculator(t, failing...)), "-n", in)
	wants(t, 0, []string{"deployment/calculator configured", "up: deployment/calculator 2 of 2"}, write(t, "calculator.yaml", calculator(t, "replicas: 3", "replicas: 2")), "-n", in)
}
