//go:build sweep

package screen

import "testing"

// TestAllSizes draws every page of every scene in every window of 1 to 210 by 1 to 60.
func TestAllSizes(t *testing.T) {
	var widths, heights []int
	for n := range 210 {
		widths = append(widths, n+1)
	}
	for n := range 60 {
		heights = append(heights, n+1)
	}
	sweep(t, widths, heights)
}
