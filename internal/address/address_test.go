package address

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"testing"
)

func TestBlock(t *testing.T) {
	for _, test := range []struct {
		block Block
		place int
		want  string
	}{
		{0, 0, "127.64.0.1"},
		{0, 254, "127.64.0.255"},
		{0, 255, "127.64.1.0"},
		{0, Usable - 1, "127.64.15.254"},
		{1, 0, "127.64.16.1"},
		{15, Usable - 1, "127.64.255.254"},
		{16, 0, "127.65.0.1"},
		{Blocks - 1, Usable - 1, "127.127.255.254"},
	} {
		if got := test.block.At(test.place); got != netip.MustParseAddr(test.want) {
			t.Errorf("block %d, place %d: %s, want %s", test.block, test.place, got, test.want)
		}
	}
	if got := Block(Blocks - 1).Next(); got != 0 {
		t.Errorf("after the last block comes %d", got)
	}
	if Block(0).Contains(netip.MustParseAddr("127.64.16.1")) || !Block(1).Contains(netip.MustParseAddr("127.64.31.255")) || Block(1).Contains(netip.MustParseAddr("127.0.0.1")) {
		t.Error("Contains is wrong")
	}
}

// TestBlockOf: the block of a folder never changes, as the addresses of a run are to be the same
// after an update of Probity, too.
func TestBlockOf(t *testing.T) {
	if got := BlockOf("/home/ann/.local/state/probity/app"); got != 559 {
		t.Errorf("block %d", got)
	}
	seen := map[Block]bool{}
	for i := range 10 * Blocks {
		b := BlockOf(fmt.Sprint("/state/", i))
		if b < 0 || b >= Blocks {
			t.Fatalf("block %d", b)
		}
		seen[b] = true
	}
	if len(seen) < Blocks*99/100 {
		t.Errorf("only %d blocks are used", len(seen))
	}
}

func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint("default/s", i))
	}
	return all
}

// TestPlacesAreStable: whatever comes and goes, nobody has the place of another, nobody is moved,
// and what was noted is the same in the next run.
func TestPlacesAreStable(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		p, had := &Places{}, map[string]int{}
		for range 500 {
			name := fmt.Sprint("default/s", random.IntN(300))
			switch random.IntN(4) {
			case 0:
				p.Release(name)
				delete(had, name)
			case 1:
				p = NewPlaces(p.All())
			default:
				place, ok := p.Take(name)
				if before, known := had[name]; !ok || known && before != place {
					t.Fatalf("seed %d: %s is at %d, %v, and was at %d", seed, name, place, ok, before)
				}
				had[name] = place
			}
		}
		if !maps.Equal(had, p.All()) {
			t.Fatalf("seed %d: %v, want %v", seed, p.All(), had)
		}
		used := map[int]bool{}
		for name, place := range had {
			if used[place] || place < 0 || place >= Usable {
				t.Fatalf("seed %d: %s shares place %d", seed, name, place)
			}
			used[place] = true
		}
	}
}

// TestOrderDoesNotMatter: the same names get the same places in whatever order they are written.
func TestOrderDoesNotMatter(t *testing.T) {
	list := names(1000)
	want := &Places{}
	want.TakeAll(list)
	for range 5 {
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		got := &Places{}
		got.TakeAll(list)
		if !maps.Equal(want.All(), got.All()) {
			t.Fatal("another order, other places")
		}
	}
}

func TestFullBlock(t *testing.T) {
	p := &Places{}
	p.TakeAll(names(Usable))
	if _, ok := p.Take("default/one-more"); ok || len(p.All()) != Usable {
		t.Errorf("%d places, one more: %v", len(p.All()), ok)
	}
	p.Release("default/s7")
	if _, ok := p.Take("default/one-more"); !ok {
		t.Error("a place that was given back is not found")
	}
}

// TestNewPlacesLeavesOutNonsense: the note may have been edited.
func TestNewPlacesLeavesOutNonsense(t *testing.T) {
	got := NewPlaces(map[string]int{"a": 1, "b": 1, "c": -1, "d": Usable, "e": 2}).All()
	if want := map[string]int{"a": 1, "e": 2}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
