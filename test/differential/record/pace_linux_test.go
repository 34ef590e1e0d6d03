package main

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// On a machine that can play six at a time most plays are left alone, and the tries that are not
// are few.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const can, plays = 6, 200
		p := newPace(12)
		var mu sync.Mutex
		var playing, disturbed int
		var all sync.WaitGroup
		for range plays {
			ticket := p.begin()
			all.Go(func() {
				mu.Lock()
				playing++
				busy := playing > can
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				busy = busy || playing > can
				playing--
				if busy {
					disturbed++
				}
				mu.Unlock()
				p.end(ticket, busy)
			})
		}
		all.Wait()
		if disturbed == 0 || disturbed > plays/3 {
			t.Errorf("%d of %d plays were disturbed", disturbed, plays)
		}
	})
}

func TestPaceEndsAtOne(t *testing.T) {
	p := newPace(3)
	for range 10 {
		p.end(p.begin(), true)
	}
	if p.now != 1 || p.playing != 0 {
		t.Errorf("%v at a time, %d are playing", p.now, p.playing)
	}
	for range 100 {
		p.end(p.begin(), false)
	}
	if p.now != 3 {
		t.Errorf("%v at a time after 100 that went well", p.now)
	}
}
