package engine

import "math/bits"

// tick counts quanta since the engine's start.
type tick int64

// slots is how many ticks one turn of the wheel has; a power of two, and a multiple of 64.
const slots = 1024

// firing is the list of the timers that are due in this moment, behind those of the slots.
const firing = slots

// wheel is a hashed timing wheel: it holds timers in slots, by their tick. Adding and removing take
// constant time; a timer that is due in a later turn of the wheel is visited once per turn. The
// zero value is an empty wheel at tick 0. It is not safe for concurrent use.
type wheel struct {
	now  tick // all timers up to here have fired
	list [slots + 1]*timer
	used [slots / 64]uint64 // a bit for each slot that is not empty
}

// timer is an entry of a wheel, or none.
type timer struct {
	fire       func()
	when       tick
	prev, next *timer
	index      int // of the list that it is in
	set        bool
}

// add sets the timer to fire at the tick, or at the next one if that is over. A timer that is set
// is moved.
func (w *wheel) add(t *timer, when tick) {
	w.remove(t)
	t.when = max(when, w.now+1)
	w.push(t, int(t.when%slots))
}

// push puts a timer that is in no list at the head of one.
func (w *wheel) push(t *timer, index int) {
	t.index, t.set = index, true
	if t.next = w.list[index]; t.next != nil {
		t.next.prev = t
	}
	w.list[index] = t
	if index != firing {
		w.used[index/64] |= 1 << (index % 64)
	}
}

// remove makes sure that the timer does not fire.
func (w *wheel) remove(t *timer) {
	if !t.set {
		return
	}
	if t.next != nil {
		t.next.prev = t.prev
	}
	if t.prev != nil {
		t.prev.next = t.next
	} else if w.list[t.index] = t.next; t.next == nil && t.index != firing {
		w.used[t.index/64] &^= 1 << (t.index % 64)
	}
	t.prev, t.next, t.set = nil, nil, false
}

// next returns the tick at which a timer may be due; it can be early by whole turns. false means
// that no timer is set.
func (w *wheel) next() (tick, bool) {
	first := int((w.now + 1) % slots)
	for n := range len(w.used) + 1 {
		word := (first/64 + n) % len(w.used)
		set := w.used[word]
		if n == 0 {
			set &= ^uint64(0) << (first % 64)
		}
		if set != 0 {
			index := word*64 + bits.TrailingZeros64(set)
			return w.now + 1 + tick((index-first+slots)%slots), true
		}
	}
	return 0, false
}

// advance fires all timers up to the tick, without those that a fired timer removes, and with those
// that it adds. Timers of an earlier tick fire first, unless more than a turn has passed.
func (w *wheel) advance(to tick) {
	if to-w.now > slots {
		w.now = to
		for index := range slots {
			w.collect(index, to)
		}
		w.fireCollected()
		return
	}
	for w.now < to {
		next, ok := w.next()
		if !ok || next > to {
			w.now = to
			return
		}
		w.now = next
		w.collect(int(next%slots), next)
		w.fireCollected()
	}
}

// collect moves the timers of a slot that are due at the tick to the firing list.
func (w *wheel) collect(index int, to tick) {
	for t := w.list[index]; t != nil; {
		following := t.next
		if t.when <= to {
			w.remove(t)
			w.push(t, firing)
		}
		t = following
	}
}

// fireCollected fires the timers of the firing list.
func (w *wheel) fireCollected() {
	for t := w.list[firing]; t != nil; t = w.list[firing] {
		w.remove(t)
		t.fire()
	}
}
