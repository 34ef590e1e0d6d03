package lines

import (
	"testing"
	"time"
)

func TestLine(t *testing.T) {
	l := Line{time.Date(2026, 1, 1, 12, 4, 9, 50e6, time.Local), Ready, "pod/web-1", "5.5 s after its start"}
	if got, want := l.String(), "12:04:09.050 Ready     pod/web-1  5.5 s after its start"; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 112: "112th", 122: "122nd"} {
		if got := ordinal(n); got != want {
			t.Errorf("ordinal(%d) = %q, want %q", n, got, want)
		}
	}
}
