package workload

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// playRollout drives a rollout of random size and settings, whose Pods come and go as chance has
// it, and checks each step: it never takes the Deployment above desired + surge, and it takes no
// available Pod that is needed. In the end, when all Pods are well, it has to be complete.
func playRollout(t *testing.T, c chooser) {
	replicas := c(30)
	percent := func() string { return choose(c, fmt.Sprint(c(replicas+3)), fmt.Sprintf("%d%%", c(101))) }
	f := newFleet(t, replicas, percent(), percent())
	f.Strategy = choose(c, Rolling, Rolling, Rolling, Recreate, StopFirst)
	for i := range c(3) {
		set := f.full(fmt.Sprint("older", i), c(4))
		set.Available = c(set.Size + 1)
		f.Old = append(f.Old, set)
	}
	for range 30 {
		f.disturb(c)
		f.checkedStep()
	}
	f.Paused, f.OldPods = false, 0
	for i := 0; f.heal() || f.checkedStep(); i++ {
		if i > 40*(replicas+10) {
			t.Fatalf("%v of %d, surge %d, unavailable %d does not converge: %v", f, f.Desired, f.Surge, f.Unavailable, f.said[max(0, len(f.said)-20):])
		}
	}
	if f.New == nil || f.String() != fmt.Sprintf("0/%d", f.Desired) {
		t.Fatalf("ends at %v, want 0/%d", f, f.Desired)
	}
}

// disturb makes Pods available or not, and changes the Deployment now and then.
func (f *fleet) disturb(c chooser) {
	for i := range f.Old {
		f.Old[i].Available = c(f.Old[i].Size + 1)
	}
	if f.New != nil {
		f.New.Available = c(f.New.Size + 1)
	}
	switch {
	case c.rarely(8):
		f.Desired = c(30)
		f.Surge, f.Unavailable = c(f.Desired+1), c(f.Desired+1)
		if f.Surge == 0 && f.Unavailable == 0 {
			f.Surge = 1
		}
		f.Unavailable = min(f.Unavailable, f.Desired)
	case c.rarely(8):
		f.Paused = !f.Paused
	case c.rarely(8) && f.New != nil: // another template
		next := *f.New
		next.Name = fmt.Sprint("old", len(f.Old))
		f.Old, f.New = append(f.Old, next), nil
	}
	f.OldPods = c(2)
}

// heal makes every Pod available and reports whether that is news.
func (f *fleet) heal() (news bool) {
	for i := range f.Old {
		news = news || f.Old[i].Available != f.Old[i].Size
		f.Old[i].Available = f.Old[i].Size
	}
	if f.New != nil {
		news = news || f.New.Available != f.New.Size
		f.New.Available = f.New.Size
	}
	return news
}

func (f *fleet) checkedStep() bool {
	f.t.Helper()
	before, total, available, resized := f.String(), f.total(), f.available(), f.resized() || f.Paused
	stepped := f.step()
	if f.total() > total && f.total() > f.Desired+f.Surge {
		f.t.Fatalf("%s to %v of %d: above the surge of %d", before, f, f.Desired, f.Surge)
	}
	least := min(available, f.Desired-f.Unavailable)
	// the new set shrank to what is desired
	tooMany := f.New != nil && total-f.total() > 0 && f.New.Size == f.Desired
	if f.Strategy == Rolling && !resized && !tooMany && f.available() < least {
		f.t.Fatalf("%s to %v of %d: %d available of at least %d", before, f, f.Desired, f.available(), least)
	}
	return stepped
}

func TestRolloutsAtRandom(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 7))
		playRollout(t, func(n int) int { return r.IntN(n) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// FuzzRollout lets a fuzzer choose; bytes that are missing are zero.
func FuzzRollout(f *testing.F) {
	f.Add([]byte{10, 2, 3, 1, 4})
	f.Add([]byte("a deployment of some size, which is edited now and then"))
	f.Fuzz(func(t *testing.T, data []byte) {
		playRollout(t, func(n int) int {
			if len(data) == 0 {
				return 0
			}
			b := data[0]
			data = data[1:]
			return int(b) % n
		})
	})
}
