package node

import (
	"slices"
	"testing"
)

func TestInbox(t *testing.T) {
	b := newInbox()
	var done []int
	b.put(func() { done = append(done, 1) })
	b.put(func() { done = append(done, 2) })
	<-b.signal
	for _, do := range b.take() {
		do()
	}
	if want := []int{1, 2}; !slices.Equal(done, want) {
		t.Errorf("done = %v, want %v", done, want)
	}
	select {
	case <-b.signal:
		t.Error("there is a second signal for what was taken")
	default:
	}
	b.put(func() { t.Error("what was put before the close was done") })
	b.close()
	b.put(func() { t.Error("what was put after the close was done") })
	if got := len(b.take()); got != 0 {
		t.Errorf("%d functions after the close, want none", got)
	}
}
