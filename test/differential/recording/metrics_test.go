package recording

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShape(t *testing.T) {
	const text = `# HELP b_total What it is.
# TYPE b_total counter
b_total{pod="web",result="failed",container="c"} 3
b_total{pod="db",result="failed",container="c"} 1
b_total{pod="db",result="successful",container="d"} 1

# TYPE a gauge
a 1.5e+09
`
	want := []string{"# TYPE a gauge", "# TYPE b_total counter", "a", "b_total container=… pod=… result=failed", "b_total container=… pod=… result=successful"}
	got := Shape(text)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shape (-want +got):\n%s", diff)
	}
	path := filepath.Join(t.TempDir(), "shape.txt")
	if err := WriteShape(path, got); err != nil {
		t.Fatal(err)
	}
	read, err := ReadShape(path)
	if diff := cmp.Diff(got, read); diff != "" || err != nil {
		t.Errorf("read %v (-written +read):\n%s", err, diff)
	}
}
