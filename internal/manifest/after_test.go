package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseAfter(t *testing.T) {
	got, err := ParseAfter("db=healthy, cache, migrate=completed")
	want := []After{{"db", Healthy}, {"cache", Started}, {"migrate", Completed}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"", "=healthy", "db=ready", "db=healthy,"} {
		if got, err := ParseAfter(bad); err == nil {
			t.Errorf("%q is %v, want an error", bad, got)
		}
	}
}
