package node

import (
	"strconv"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/program"
)

// TestRoomOfAPod: what is only known when containers start counts for all of them together, and a
// restart does not count twice.
func TestRoomOfAPod(t *testing.T) {
	p := programs{strings: map[string]int{}}
	for _, container := range []string{"a", "a", "b"} {
		left := p.roomFor(container)
		before := left.Left()
		if _, err := left.Expand([]string{strings.Repeat("x", 99_999)}, nil, strconv.Itoa); err != nil {
			t.Fatal(err)
		}
		p.strings[container] = before - left.Left()
	}
	if got, want := p.roomFor("c").Left(), program.MaxPodStrings-200_000; got != want {
		t.Errorf("room = %d, want %d", got, want)
	}
}
