package probe

import (
	"strings"
	"testing"
)

// TestOutputOfOpenPipes: what is in the pipes is collected although a writer remains, whether
// somebody was reading or not.
func TestOutputOfOpenPipes(t *testing.T) {
	for name, test := range map[string]struct{ written, want int }{
		"nothing":         {0, 0},
		"a little":        {5000, 5000},
		"just the limit":  {10240, 10240},
		"above the limit": {12000, 10240},
	} {
		for watcher, watched := range map[string]bool{"unwatched": false, "watched": true} {
			t.Run(name+" "+watcher, func(t *testing.T) {
				o, err := newOutput()
				if err != nil {
					t.Fatal(err)
				}
				defer o.handOver()
				if watched {
					if err := o.watch(); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := o.stdout.w.WriteString(strings.Repeat("a", test.written)); err != nil {
					t.Fatal(err)
				}
				if got := o.text(); got != strings.Repeat("a", test.want) {
					t.Errorf("collected %d bytes, want %d", len(got), test.want)
				}
				if again := o.text(); len(again) != test.want {
					t.Errorf("collected %d bytes at the second look, want %d", len(again), test.want)
				}
			})
		}
	}
}
