package simulate

import "fmt"

// Percent writes a probability for a person: with two digits, "never" for one that is as good as 0.
func Percent(share float64) string {
	switch {
	case share < 1e-12:
		return "never"
	case share < 0.0001:
		return fmt.Sprintf("%.1e", share)
	case share < 0.1:
		return fmt.Sprintf("%.2g %%", 100*share)
	default:
		return fmt.Sprintf("%.0f %%", 100*share)
	}
}
