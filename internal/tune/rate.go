package tune

import (
	"fmt"
	"regexp"
	"strconv"
)

// hoursOf are the units of rates, in hours. A month has thirty days.
func hoursOf(unit string) float64 {
	switch unit {
	case "h", "hour":
		return 1
	case "d", "day":
		return 24
	case "week":
		return 7 * 24
	}
	return 30 * 24
}

// ParseRate reads how many events an hour there may be of one replica: "6/h", "1/day",
// "1/replica-month", "1/100 replica-months".
func ParseRate(text string) (perHour float64, err error) {
	found := regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)/(?:([0-9]+) ?)?(?:replica-)?(h|hour|d|day|week|month)s?$`).FindStringSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("cannot read %q as a rate: write it as 6/h, 1/day or 1/replica-month", text)
	}
	n, err := strconv.ParseFloat(found[1], 64)
	per := 1.0
	if found[2] != "" && err == nil {
		per, err = strconv.ParseFloat(found[2], 64)
	}
	perHour = n / per / hoursOf(found[3])
	if err != nil || !(perHour > 0 && perHour < maxNumber) {
		return 0, fmt.Errorf("cannot use %q as a rate: it is none, or endless", text)
	}
	return perHour, nil
}
