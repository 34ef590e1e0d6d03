package tune

import (
	"cmp"
	"math"
	"slices"
)

const (
	// enough is how many events tell whether they come in company.
	enough = 20
	// apart is how many seconds lie between two stalls at least that are no single event.
	apart = 60
)

// company is how many restarts come at a time with a setting: 1 if they come independently of each
// other. Those that decide are few or none, so stalls half as long as the setting tolerates tell
// it.
func (j *Judge) company(s Setting) float64 {
	least := float64(s.Tolerated()) / 2
	long := slices.DeleteFunc(concat(j.windows, func(w *Window) []Stall { return w.failing(s) }), func(s Stall) bool { return s.Length < least })
	events := together(long)
	most := max(j.Memory, size(events))
	if len(events) >= enough {
		most = max(most, dispersion(events, j.hours*3600))
	}
	return most
}

// size is of how many stalls an event consists, as a stall sees it; 1 for none.
func size(events []event) float64 {
	var stalls, squares int
	for _, e := range events {
		stalls += e.stalls
		squares += e.stalls * e.stalls
	}
	return max(float64(squares)/float64(max(stalls, 1)), 1)
}

// concat are the stalls of all windows, one after the other, or what else is taken of them.
func concat(windows []Window, stalls func(*Window) []Stall) (all []Stall) {
	most, before := 0, 0.0
	for _, w := range windows {
		most += len(w.Stalls) + len(w.Slow)
	}
	all = make([]Stall, 0, most) // at once: this is done for each of thousands of settings
	for i := range windows {
		w := &windows[i]
		for _, s := range stalls(w) {
			s.Begin += before
			all = append(all, s)
		}
		before += w.Seconds
	}
	return all
}

// event is several stalls with less than apart between them.
type event struct {
	begin, longest float64
	stalls         int
}

func together(stalls []Stall) (events []event) {
	end := math.Inf(-1)
	for _, s := range stalls {
		if s.Begin-end > apart {
			events = append(events, event{begin: s.Begin})
		}
		e := &events[len(events)-1]
		e.stalls++
		e.longest = max(e.longest, s.Length)
		end = s.End()
	}
	return events
}

// dispersion is the variance of the number of stalls in a stretch of time over its mean, which is 1
// if they come independently of each other. Of stretches of several lengths the one counts that has
// most: a bad minute is as possible as a bad day.
func dispersion(events []event, seconds float64) float64 {
	most := 1.0
	if len(events) == 0 {
		return most
	}
	for _, parts := range []int{16, 32, 64, 128} {
		counts := make([]float64, parts)
		for _, e := range events {
			counts[min(int(e.begin/seconds*float64(parts)), parts-1)] += float64(e.stalls)
		}
		var sum, squares float64
		for _, n := range counts {
			sum += n
			squares += n * n
		}
		mean := sum / float64(parts)
		most = max(most, (squares-sum*mean)/float64(parts-1)/mean)
	}
	return most
}

// memory is of how many events in a row one says as much as an independent one: (1+r)/(1-r), where
// r is the rank correlation of their lengths with those of the next. It is 1 if there is none that
// more than chance explains; known is false if there are too few events to tell.
func memory(events []event) (in float64, known bool) {
	if len(events) < enough {
		return 1, false
	}
	var longest []float64
	for _, e := range events {
		longest = append(longest, e.longest)
	}
	n := len(longest) - 1
	r := correlation(ranks(longest[:n]), ranks(longest[1:]))
	if r*math.Sqrt(float64(n)) < surprising {
		return 1, true
	}
	return (1 + r) / max(1-r, 1e-3), true
}

// surprising is what one in twenty samples without any correlation exceeds, in standard deviations.
const surprising = 1.645

// ranks are the places of values among all, by size; equal ones share the mean of their places.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	places := make([]float64, len(values))
	for from, to := 0, 0; from < len(order); from = to {
		for to = from; to < len(order) && values[order[to]] == values[order[from]]; to++ {
		}
		for _, i := range order[from:to] {
			places[i] = float64(from+to-1) / 2
		}
	}
	return places
}

// correlation of two lists of ranks; 0 if one of them is all the same.
func correlation(a, b []float64) float64 {
	mean := float64(len(a)-1) / 2
	var both, squareA, squareB float64
	for i := range a {
		both += (a[i] - mean) * (b[i] - mean)
		squareA += (a[i] - mean) * (a[i] - mean)
		squareB += (b[i] - mean) * (b[i] - mean)
	}
	if squareA == 0 || squareB == 0 {
		return 0
	}
	return both / math.Sqrt(squareA*squareB)
}
