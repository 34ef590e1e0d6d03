package manifest

import "strings"

// Closest returns the candidate that name is most likely a misspelling of, or "". Short names must
// be closer.
func Closest(name string, candidates []string) string {
	const tooLong = 64 // a bound on the work; no field name of Kubernetes comes near it
	if len(name) > tooLong {
		return ""
	}
	best, bestDistance := "", 3
	if len(name) <= 5 {
		bestDistance = 2
	}
	for _, c := range candidates {
		if strings.EqualFold(c, name) {
			return c
		}
		if d := distance(name, c); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of neighbours that turn a into
// b (the restricted Damerau-Levenshtein distance).
func distance(a, b string) int {
	before, last := []int(nil), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
