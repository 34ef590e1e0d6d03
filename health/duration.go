package health

import (
	"fmt"
	"time"
)

// What is shorter or longer was not meant. A number without a unit is that many nanoseconds, and
// time.Duration(d)*time.Second of a d that has a unit already is decades.
const (
	minDuration = time.Millisecond
	maxDuration = 10 * 365 * 24 * time.Hour
)

// optional returns an error if a duration cannot be meant. Zero stands for the default.
func optional(field string, d time.Duration) error {
	switch {
	case d < 0:
		return notNegative(field, d)
	case d == 0:
		return nil
	case d < minDuration:
		return fmt.Errorf("%s is %v, it must be at least %v%s", field, d, minDuration, suggestion(d))
	case d > maxDuration:
		return fmt.Errorf("%s is %v, it must be at most %v: is it multiplied by a unit twice?", field, d, maxDuration)
	}
	return nil
}

// positive returns an error if a duration without a default cannot be meant.
func positive(field string, d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%s is %v, it must be positive", field, d)
	}
	return optional(field, d)
}

// suggestion is what somebody may have meant who forgot the unit: whole seconds, or milliseconds if
// the number is large.
func suggestion(d time.Duration) string {
	switch {
	case d < 1000:
		return fmt.Sprintf(": did you mean %d*time.Second?", int64(d))
	case d <= 100_000:
		return fmt.Sprintf(": did you mean %d*time.Millisecond?", int64(d))
	}
	return ""
}
