package main

import "sync"

// pace is how many scenarios are played at a time: few at first, slowly more while the machine is
// not too busy for one of them, and half as many once it was. Make it with newPace.
type pace struct {
	mu      sync.Mutex
	changed *sync.Cond
	most    float64 // at a time, whatever the machine can do
	now     float64 // at a time
	playing int
	halved  int // how often
}

// newPace is one with four places at first, on a machine of two processors.
func newPace(most int) *pace {
	p := &pace{most: float64(most), now: float64(min(most, 4))}
	p.changed = sync.NewCond(&p.mu)
	return p
}

// begin waits for a place. What it returns is for end.
func (p *pace) begin() (ticket int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.playing >= int(p.now) {
		p.changed.Wait()
	}
	p.playing++
	return p.halved
}

// end gives a place back. Those who began before the last halving say nothing of how it is now.
func (p *pace) end(ticket int, busy bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.playing--
	switch {
	case ticket != p.halved:
	case busy:
		p.now, p.halved = max(p.now/2, 1), p.halved+1
	default:
		p.now = min(p.now+1/p.now, p.most)
	}
	p.changed.Broadcast()
}
