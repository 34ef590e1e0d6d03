package tune

import "math"

// growing reports whether stalls became longer or more frequent while they were measured, by more
// than chance explains, as with a leak. Then the past says less of later times than its hours do.
// Of several windows the one is asked that has most of them, for windows may differ in load.
func growing(windows []Window) bool {
	var events []event
	var seconds float64
	for _, w := range windows {
		if e := together(w.Stalls); len(e) > len(events) {
			events, seconds = e, w.Seconds
		}
	}
	return len(events) >= enough && max(longer(events), moreFrequent(events, seconds)) > direction
}

// direction is what one in a hundred samples without a trend exceeds, in standard deviations.
const direction = 2.326

// longer is how far the lengths of events follow their order, in standard deviations of what chance
// does. Events that are like those before them drift for a while without a trend, so what the trend
// leaves over says how much that is.
func longer(events []event) float64 {
	var order, longest []float64
	for i, e := range events {
		order, longest = append(order, float64(i)), append(longest, e.longest)
	}
	places := ranks(longest)
	r := correlation(order, places)
	mean := float64(len(events)-1) / 2
	var next, square, before float64
	for i, place := range places {
		left := place - mean - r*(order[i]-mean)
		next, square, before = next+left*before, square+left*left, left
	}
	likeBefore := max(next/max(square, 1e-9), 0)
	return r * math.Sqrt(mean*2*(1-likeBefore)/(1+likeBefore))
}

// moreFrequent is how late events are on average, in standard deviations of what chance does
// (Laplace's test for a trend), which are larger for events that come in company. That is looked
// for in each half of the time, in which a trend counts for less.
func moreFrequent(events []event, seconds float64) float64 {
	var halves [2][]event
	sum := 0.0
	for _, e := range events {
		sum += e.begin/seconds - 0.5
		half := min(int(2*e.begin/seconds), 1)
		e.begin -= float64(half) * seconds / 2
		halves[half] = append(halves[half], e)
	}
	company := (dispersion(halves[0], seconds/2) + dispersion(halves[1], seconds/2)) / 2
	return sum * math.Sqrt(12/(float64(len(events))*company))
}
