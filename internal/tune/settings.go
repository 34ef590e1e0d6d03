package tune

import (
	"cmp"
	"iter"
	"slices"
)

// What is chosen from.
const (
	mostPeriod   = 60
	mostFailures = 20
)

// settings are all numbers of a liveness probe to choose from, the fastest first: by the time after
// which a hang is noticed at the latest, then those that probe least. Those that notice it after
// more than latest seconds are left out; 0 stands for no limit.
func settings(latest int) iter.Seq[Setting] {
	if latest <= 0 {
		latest = mostPeriod * (mostFailures + 1)
	}
	return func(yield func(Setting) bool) {
		for certain := 1; certain <= latest; certain++ {
			for _, s := range settingsOf(certain) {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// settingsOf are those with one sum A + P = F·P + T, those that probe least first.
func settingsOf(certain int) (list []Setting) {
	for period := min(mostPeriod, certain-1); period >= 1; period-- {
		for timeout := 1; timeout <= period; timeout++ {
			failures := (certain - timeout) / period
			if failures*period+timeout == certain && failures >= 1 && failures <= mostFailures {
				list = append(list, Setting{Period: period, Timeout: timeout, Failures: failures})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Setting) int { return cmp.Compare(b.Period, a.Period) })
	return list
}
