package node

import (
	"slices"
	"testing"
)

func TestBatch(t *testing.T) {
	var b batch
	var done []int
	b.add(func() { done = append(done, 1); b.add(func() { done = append(done, 3) }) })
	b.add(func() { done = append(done, 2) })
	if len(done) != 0 {
		t.Fatalf("done before flush: %v", done)
	}
	b.flush()
	if want := []int{1, 2}; !slices.Equal(done, want) {
		t.Errorf("flush did %v, want %v", done, want)
	}
	b.flush()
	if want := []int{1, 2, 3}; !slices.Equal(done, want) {
		t.Errorf("the next flush did %v, want %v", done, want)
	}
}
