package script

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/printable"
)

// Day is 24 hours.
const Day = 24 * time.Hour

// longest is the most that anyone may ask for, ten years: far from the end of int64.
const longest = 3650 * Day

// ParseDuration reads a time such as 90s, 1h30m or 30d. It is never negative and at most ten years.
func ParseDuration(s string) (time.Duration, error) {
	var days time.Duration
	rest := s
	if before, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseFloat(before, 64)
		if err != nil || !(n >= 0 && n <= 3650) {
			return 0, badDuration(s)
		}
		days, rest = time.Duration(n*float64(Day)), after
		if rest == "" {
			return days, nil
		}
	}
	d, err := time.ParseDuration(rest)
	switch {
	case err != nil:
		return 0, badDuration(s)
	case d < 0:
		return 0, fmt.Errorf("cannot use the time %s: it is negative", printable.Cut(s))
	case d+days > longest || d > longest:
		return 0, fmt.Errorf("cannot use the time %s: the most is ten years (3650d)", printable.Cut(s))
	}
	return days + d, nil
}

func badDuration(s string) error {
	if strings.HasPrefix(s, "-") {
		return fmt.Errorf("cannot use the time %s: it is negative", printable.Cut(s))
	}
	return fmt.Errorf("cannot read %s as a time: write it as 500ms, 90s, 1h30m or 30d", printable.Quote(s))
}

// FormatDuration writes a time the way a person would: 90s is 1m30s, 30m is 30m, 720h is 30d.
// Milliseconds are enough.
func FormatDuration(d time.Duration) string {
	if d >= Infinity {
		return "for ever"
	}
	if d < 0 {
		return "-" + FormatDuration(-d)
	}
	if d >= time.Millisecond {
		d = d.Round(time.Millisecond)
	}
	days := d / Day
	s := (d % Day).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	switch {
	case days == 0:
		return s
	case d%Day == 0:
		return fmt.Sprintf("%dd", days)
	default:
		return fmt.Sprintf("%dd%s", days, s)
	}
}
