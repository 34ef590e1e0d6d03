package simulate

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"github.com/probity-run/probity/internal/simulate/script"
)

// random is one independent source of random numbers of a simulation. Each question has a source of
// its own, named by what it is about, so that asking one more often changes no answer of another.
type random struct{ *rand.Rand }

func newRandom(seed uint64, about ...string) random {
	return random{rand.New(rand.NewPCG(seed, nameHash(about...)))}
}

func (r random) draw(d script.Distribution) time.Duration {
	if d.IsFixed() {
		return d.A
	}
	return d.Quantile(r.Float64())
}

// gap is how many trials succeed before the next one fails, if each fails with probability p.
func (r random) gap(p float64) int {
	switch {
	case p <= 0:
		return math.MaxInt
	case p >= 1:
		return 0
	}
	gap := math.Log1p(-r.Float64()) / math.Log1p(-p)
	if gap >= math.MaxInt32 {
		return math.MaxInt32
	}
	return int(gap)
}

// uniformAt is the n-th number in [0, 1) of a source that can be asked in any order.
func uniformAt(key, n uint64) float64 {
	z := key + n*0x9e3779b97f4a7c15 // the splitmix64 generator (Steele, Lea, Flood 2014)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>11) / (1 << 53)
}

func nameHash(words ...string) uint64 {
	h := fnv.New64a()
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{0})
	}
	return h.Sum64()
}
