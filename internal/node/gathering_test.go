package node

import (
	"slices"
	"testing"
)

func TestGathering(t *testing.T) {
	var g gathering
	var done []int
	g.later(func() { done = append(done, 1); g.later(func() { done = append(done, 3) }) })
	g.later(func() { done = append(done, 2) })
	if len(done) != 0 {
		t.Fatalf("done before flush: %v", done)
	}
	g.flush()
	if want := []int{1, 2}; !slices.Equal(done, want) {
		t.Errorf("flush did %v, want %v", done, want)
	}
	g.flush()
	if want := []int{1, 2, 3}; !slices.Equal(done, want) {
		t.Errorf("the next flush did %v, want %v", done, want)
	}
}
