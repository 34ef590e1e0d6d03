package compose

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var durationForm = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(us|µs|ms|s|m|h|d|w|ns))+$`)

var durationPart = regexp.MustCompile(`([0-9.]+)([a-zµ]+)`)

// parseDuration reads a time as Compose writes it: 1m30s, 500ms, 1.5h, also 2d.
func parseDuration(text string) (time.Duration, error) {
	if !durationForm.MatchString(text) {
		if text == "0" {
			return 0, nil
		}
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return 0, fmt.Errorf("the time %s has no unit: write %ss for seconds", text, text)
		}
		return 0, fmt.Errorf("%q is no time: write 30s, 1m30s or 500ms", text)
	}
	var total float64
	for _, part := range durationPart.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseFloat(part[1], 64)
		if err != nil {
			return 0, fmt.Errorf("%q is no time: write 30s, 1m30s or 500ms", text)
		}
		total += n * float64(unit(part[2]))
	}
	const longest = 365 * 24 * time.Hour
	if total > float64(longest) {
		return 0, fmt.Errorf("%q is longer than a year", text)
	}
	return time.Duration(total), nil
}

func unit(name string) time.Duration {
	switch name {
	case "ns":
		return time.Nanosecond
	case "us", "µs":
		return time.Microsecond
	case "ms":
		return time.Millisecond
	case "m":
		return time.Minute
	case "h":
		return time.Hour
	case "d":
		return 24 * time.Hour
	case "w":
		return 7 * 24 * time.Hour
	}
	return time.Second
}

// Seconds is a time in whole seconds, rounded up, which is what probes have; at least one.
func Seconds(d time.Duration) int {
	return max(int((d+time.Second-1)/time.Second), 1)
}
