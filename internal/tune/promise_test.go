//go:build exact

package tune

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// family is a service of known truth: how its stalls come and how long they are.
type family struct {
	name string
	// stalls are those of so many seconds, in order.
	stalls func(r *rand.Rand, seconds float64) []Stall
}

// independent are stalls that come at random moments, rate an hour, with lengths of their own.
func independent(rate float64, length func(r *rand.Rand) float64) func(*rand.Rand, float64) []Stall {
	return func(r *rand.Rand, seconds float64) (list []Stall) {
		for at := r.ExpFloat64() * 3600 / rate; at < seconds; at += r.ExpFloat64() * 3600 / rate {
			list = append(list, Stall{Begin: at, Length: length(r)})
		}
		return separate(list)
	}
}

// separate lets each stall begin after the one before it.
func separate(list []Stall) []Stall {
	for i := 1; i < len(list); i++ {
		list[i].Begin = max(list[i].Begin, list[i-1].End()+0.05)
	}
	return list
}

// bursts are rate an hour, of so many stalls on average, gap seconds apart.
func bursts(rate, many, gap, mean float64) func(*rand.Rand, float64) []Stall {
	return func(r *rand.Rand, seconds float64) (list []Stall) {
		for at := r.ExpFloat64() * 3600 / rate; at < seconds; at += r.ExpFloat64() * 3600 / rate {
			when := at
			for ok := true; ok; ok = r.Float64() > 1/many {
				s := Stall{Begin: when, Length: r.ExpFloat64() * mean}
				list = append(list, s)
				when = s.End() + r.ExpFloat64()*gap
			}
		}
		slices.SortFunc(list, func(a, b Stall) int { return cmp.Compare(a.Begin, b.Begin) })
		return separate(list)
	}
}

// autoregressive are stalls whose logarithms remember each other.
func autoregressive(rate, median, sigma, memory float64) func(*rand.Rand, float64) []Stall {
	return func(r *rand.Rand, seconds float64) (list []Stall) {
		x := r.NormFloat64()
		for at := r.ExpFloat64() * 3600 / rate; at < seconds; at += r.ExpFloat64() * 3600 / rate {
			x = memory*x + math.Sqrt(1-memory*memory)*r.NormFloat64()
			list = append(list, Stall{Begin: at, Length: median * math.Exp(sigma*x)})
		}
		return separate(list)
	}
}

// periodic is a collector of garbage that comes each so many seconds, give or take a share.
func periodic(every, jitter float64, length func(r *rand.Rand) float64) func(*rand.Rand, float64) []Stall {
	return func(r *rand.Rand, seconds float64) (list []Stall) {
		for at := r.Float64() * every; at < seconds; at += every * (1 + jitter*(2*r.Float64()-1)) {
			list = append(list, Stall{Begin: at, Length: length(r)})
		}
		return separate(list)
	}
}

func gammaDraw(r *rand.Rand, shape int, scale float64) (sum float64) {
	for range shape {
		sum += scale * r.ExpFloat64()
	}
	return sum
}

// lowGamma draws from a gamma distribution with a shape below 1, by the way of Marsaglia and Tsang.
func lowGamma(r *rand.Rand, shape, scale float64) float64 {
	d := shape + 2./3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := math.Pow(1+c*x, 3)
		if v > 0 && math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v * scale * math.Pow(1-r.Float64(), 1/shape)
		}
	}
}

func uniform(low, high float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return low + (high-low)*r.Float64() }
}

// weather are quiet hours and bad ones, so many on average, each with a rate and a mean length.
func weather(hours, rates, means [2]float64) func(*rand.Rand, float64) []Stall {
	return func(r *rand.Rand, seconds float64) (list []Stall) {
		bad := 0
		if r.Float64() < hours[1]/(hours[0]+hours[1]) {
			bad = 1
		}
		for at := 0.0; at < seconds; bad = 1 - bad {
			end := min(at+r.ExpFloat64()*hours[bad]*3600, seconds)
			for x := at + r.ExpFloat64()*3600/rates[bad]; x < end; x += r.ExpFloat64() * 3600 / rates[bad] {
				list = append(list, Stall{Begin: x, Length: means[bad] * r.ExpFloat64()})
			}
			at = end
		}
		return separate(list)
	}
}

// leak are stalls that come at a growing rate an hour and grow themselves, so many times over,
// until the process is started anew each so many hours; 0 for never within the measurement.
func leak(rate, mean, often, long, hours float64) func(*rand.Rand, float64) []Stall {
	return func(r *rand.Rand, seconds float64) (list []Stall) {
		life, begun := hours*3600, r.Float64()*hours*3600
		if hours == 0 {
			life = seconds
		}
		for at := 0.0; ; {
			age := math.Mod(begun+at, life) / life
			if at += r.ExpFloat64() * 3600 / (rate * (1 + (often-1)*age)); at >= seconds {
				return separate(list)
			}
			list = append(list, Stall{Begin: at, Length: mean * (1 + (long-1)*age) * r.ExpFloat64()})
		}
	}
}

func families() []family {
	return []family{
		{"exponential", independent(10, func(r *rand.Rand) float64 { return 2 * r.ExpFloat64() })},
		{"lognormal", independent(10, func(r *rand.Rand) float64 { return math.Exp(0.3 + 0.8*r.NormFloat64()) })},
		{"Pareto", independent(10, func(r *rand.Rand) float64 { return 0.5 * math.Pow(1-r.Float64(), -1/1.5) })},
		{"two modes", independent(10, func(r *rand.Rand) float64 {
			if r.Float64() < 0.02 {
				return 15 + 5*r.NormFloat64()
			}
			return 0.5 * r.ExpFloat64()
		})},
		{"bursts", bursts(1, 5, 3, 2)},
		{"Weibull", independent(10, func(r *rand.Rand) float64 { return math.Pow(r.ExpFloat64(), 1/0.5) })},
		{"gamma", independent(6, func(r *rand.Rand) float64 { return gammaDraw(r, 3, 0.9) })},
		{"periodic", periodic(300, 0.2, func(r *rand.Rand) float64 { return 0.8 + gammaDraw(r, 2, 0.7) })},
		{"autoregressive", autoregressive(10, 1, 0.9, 0.95)},
		{"heavy bursts", bursts(0.3, 20, 2, 3)},
		{"flat gamma", independent(10, func(r *rand.Rand) float64 { return lowGamma(r, 0.3, 1/0.3) })},
		{"uniform", independent(6, uniform(0, 6))},
		{"cron", periodic(600, 1./30, uniform(1, 4))},
		{"bad hours", weather([2]float64{3, 0.5}, [2]float64{2, 40}, [2]float64{0.7, 2})},
		{"leak, restarted", leak(10, 0.5, 1, 6, 12)},
	}
}

// TestPromise is what tune is judged by: on services whose truth is known, the fastest setting that
// it takes to restart at most 6/H times an hour, after H hours of measurement, keeps that in 95 of
// 100 measurements at least. The seeds are fixed. -v prints the table of docs/benchmarks.md.
func TestPromise(t *testing.T) {
	const runs, known = 200, 3600 * 60_000 // seconds that are taken for the truth
	for i, f := range families() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			truth := []Window{{Seconds: known, Stalls: f.stalls(rand.New(rand.NewPCG(1, uint64(i))), known)}}
			rates := map[Setting]float64{}
			for _, hours := range []float64{24, 240} {
				kept, none, detects := 0, 0, 0
				for run := range uint64(runs) {
					measured := []Window{{Seconds: 3600 * hours, Stalls: f.stalls(rand.New(rand.NewPCG(run, uint64(hours))), 3600*hours)}}
					s, ok := NewJudge(measured).Fastest(6 / hours)
					if !ok {
						none++
						continue
					}
					detects += s.Certain()
					if _, again := rates[s]; !again {
						o := Replay(truth, s)
						rates[s] = Limits(o.Weights, 1, o.Hours).Rate
					}
					if rates[s] <= 6/hours {
						kept++
					}
				}
				share := 100 * float64(kept+none) / runs
				t.Logf("| %s | %.0f h | %.1f %% | %.0f %% | %.0f s |", f.name, hours, share, 100*float64(none)/runs, float64(detects)/float64(max(runs-none, 1)))
				if share < 95 {
					t.Errorf("the promise is kept in %.1f %% of %d runs, want 95 %%", share, runs)
				}
			}
		})
	}
}

// TestTrend is what tune says of stalls that grow: the past is no measure of what comes, so it must
// not call such a rate supported. Of those that do not grow it may say so of few.
func TestTrend(t *testing.T) {
	const runs, seconds = 200, 24 * 3600
	grows := func(stalls func(*rand.Rand, float64) []Stall) (n int) {
		for run := range uint64(runs) {
			if NewJudge([]Window{{Seconds: seconds, Stalls: stalls(rand.New(rand.NewPCG(run, 7)), seconds)}}).Growing {
				n++
			}
		}
		return n
	}
	for name, stalls := range map[string]func(*rand.Rand, float64) []Stall{
		"longer": leak(10, 0.5, 1, 4, 0), "more frequent": leak(5, 1, 4, 1, 0), "both": leak(5, 0.5, 3, 3, 0),
	} {
		n := grows(stalls)
		if t.Logf("| %s | %d of %d |", name, n, runs); n < runs*90/100 {
			t.Errorf("%s: seen in %d of %d measurements, want 90 %%", name, n, runs)
		}
	}
	for _, f := range families() {
		if f.name == "leak, restarted" {
			continue // grows, for half a day
		}
		n := grows(f.stalls)
		if t.Logf("| %s | %d of %d |", f.name, n, runs); n > runs*8/100 {
			t.Errorf("%s: seen in %d of %d measurements, want 8 %% at most", f.name, n, runs)
		}
	}
}
