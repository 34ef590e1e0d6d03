package probe

import (
	"strings"
	"testing"
	"time"
)

// TestStreamInterrupted: what is in the pipe when the reading is interrupted is collected, although a writer remains.
func TestStreamInterrupted(t *testing.T) {
	for name, test := range map[string]struct{ written, want int }{
		"nothing":         {0, 0},
		"a little":        {5000, 5000},
		"just the limit":  {10240, 10240},
		"above the limit": {12000, 10240},
	} {
		t.Run(name, func(t *testing.T) {
			var s stream
			if err := s.open(); err != nil {
				t.Fatal(err)
			}
			defer s.r.Close()
			defer s.w.Close()
			if _, err := s.w.WriteString(strings.Repeat("a", test.written)); err != nil {
				t.Fatal(err)
			}
			if err := s.r.SetReadDeadline(time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
			s.collect()
			if got := string(s.kept); got != strings.Repeat("a", test.want) {
				t.Errorf("collected %d bytes, want %d", len(got), test.want)
			}
		})
	}
}
