package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// repeated is a line for each number, indented, with the number in the place of %d.
func repeated(n int, line string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, line+"\n", i)
	}
	return b.String()
}

func TestLimitsOfObjects(t *testing.T) {
	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"
	service := "---\napiVersion: v1\nkind: Service\nmetadata: {name: SERVICE}\nspec:\n  ports:\n"
	const container, port = "  - {name: c%d, image: x}", "  - {name: p%[1]d, port: %[1]d1}"
	for name, test := range map[string]struct {
		text, want string // want "" means fine
	}{
		"containers":          {pod + "  containers:\n" + repeated(5, container), ""},
		"too many containers": {pod + "  containers:\n" + repeated(6, container), "x.yaml:5:3: Pod web: spec.containers: 6 containers in one Pod, and at most 5 can be run: refused"},
		"too many with init containers": {pod + "  initContainers:\n" + repeated(2, "  - {name: i%d, image: x}") + "  containers:\n" + repeated(4, container),
			"x.yaml:8:3: Pod web: spec.containers: 6 containers in one Pod"},
		"too many in a template": {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {a: b}}\n  template:\n" +
			"    metadata: {labels: {a: b}}\n    spec:\n      containers:\n" + repeated(6, "      - {name: c%d, image: x}"),
			"x.yaml:9:7: Deployment web: spec.template.spec.containers: 6 containers in one Pod"},
		"too many volumes": {pod + "  containers: [{name: c, image: x}]\n  volumes:\n" + repeated(5, "  - {name: v%d, emptyDir: {}}"),
			"x.yaml:6:3: Pod web: spec.volumes: 5 volumes in one Pod, and at most 4 can be made: refused"},
		"container ports": {pod + "  containers:\n  - name: c\n    image: x\n    ports:\n" + repeated(9, "    - {containerPort: %d1}"),
			"x.yaml:8:5: Pod web: spec.containers[0].ports: 9 container ports in one Pod up to here, and at most 8 can be had: refused"},
		"Service ports":          {service + repeated(8, port), ""},
		"too many Service ports": {service + repeated(9, port), "x.yaml:6:3: Service SERVICE: spec.ports: 9 ports of one Service, and at most 8 can be served: refused"},
		"of all Services": {service + repeated(8, port) + strings.Replace(service, "SERVICE", "other", 1) + repeated(3, port),
			"x.yaml:20:3: Service other: spec.ports: 11 ports of Services up to here, and at most 10 can be served: refused"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.ReplaceAll(test.text, "SERVICE", "service")
			want := strings.ReplaceAll(test.want, "SERVICE", "service")
			for _, lenient := range []bool{false, true} {
				l := newLoader(Options{MaxContainers: 5, MaxVolumes: 4, MaxPorts: 8, MaxServicePorts: 10})
				l.lenient = lenient
				l.documents("x.yaml", []byte(text))
				set, err := l.result()
				if lenient && err == nil {
					for _, o := range set.Objects {
						if len(o.Problems) > 0 {
							err = o.Problems
						}
					}
				}
				if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
					t.Errorf("lenient %v: error %v, want %q", lenient, err, want)
				}
			}
		})
	}
}

// TestLimitOfAllFiles: a folder may have many files, and one error tells that there are too many.
func TestLimitOfAllFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range 10 {
		text := fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\ndata: {k: %s}\n", i, strings.Repeat("x", 1000))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Load(Options{MaxBytes: 11_000}, dir); err != nil {
		t.Error(err)
	}
	set, err := Load(Options{MaxBytes: 5000}, dir)
	want := filepath.Join(dir, "4.yaml") + ": with this file there are more than 5000 bytes of manifests, and those behind it were not read; run them in parts: refused"
	if err == nil || err.Error() != want || len(set.Objects) != 4 {
		t.Errorf("%d objects, error %v, want %s", len(set.Objects), err, want)
	}
	for _, large := range []Options{{MaxBytes: 100}, {MaxFileBytes: 100}, {MaxBytes: 100, MaxFileBytes: 100}} {
		if _, err := Load(large, filepath.Join(dir, "0.yaml")); err == nil || !strings.HasSuffix(err.Error(), "refused") {
			t.Errorf("%+v: %v", large, err)
		}
	}
}
