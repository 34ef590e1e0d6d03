package health

import (
	"container/heap"
	"time"
)

// item is a check or a heartbeat in the timeline.
type item struct {
	at    time.Time // when it has to be looked at, if nothing happens before
	place int       // in the timeline, plus one; 0: not there

	check     *check // one of the two
	heartbeat *heartbeat
}

// timeline has what time alone changes, the next first, so that the cost of one result does not
// grow with the number of checks.
type timeline struct{ items itemHeap }

// set gives an item its instant, and takes it in if it is not there.
func (t *timeline) set(i *item, at time.Time) {
	i.at = at
	if i.place == 0 {
		heap.Push(&t.items, i)
	} else {
		heap.Fix(&t.items, i.place-1)
	}
}

func (t *timeline) remove(i *item) {
	if i.place != 0 {
		heap.Remove(&t.items, i.place-1)
	}
}

// next returns the first item, or nil.
func (t *timeline) next() *item {
	if len(t.items) == 0 {
		return nil
	}
	return t.items[0]
}

// itemHeap implements [heap.Interface].
type itemHeap []*item

func (h itemHeap) Len() int           { return len(h) }
func (h itemHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h itemHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}

// Push is called by heap.Push alone.
func (h *itemHeap) Push(x any) {
	i := x.(*item)
	*h = append(*h, i)
	i.place = len(*h)
}

// Pop is called by heap.Remove alone.
func (h *itemHeap) Pop() any {
	last := len(*h) - 1
	i := (*h)[last]
	(*h)[last], *h = nil, (*h)[:last]
	i.place = 0
	return i
}
