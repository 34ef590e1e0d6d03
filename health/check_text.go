package health

import (
	"fmt"
	"strings"
	"time"
)

// detail is what is known in ages and counts: nothing that is secret.
func (c *check) detail(now time.Time) string {
	var parts []string
	if !c.running.IsZero() && now.Sub(c.running) > c.options.Timeout {
		parts = append(parts, fmt.Sprintf("running %v, deadline %v", short(now.Sub(c.running)), c.options.Timeout))
	}
	if c.resultAt.IsZero() {
		parts = append(parts, "no result yet")
	} else {
		parts = append(parts, fmt.Sprintf("checked %v ago, took %v", short(now.Sub(c.resultAt)), short(c.duration)))
	}
	if last := c.reportedSuccess(); !last.IsZero() {
		parts = append(parts, fmt.Sprintf("last used with success %v ago", short(now.Sub(last))))
	}
	if c.badRow > 0 {
		parts = append(parts, fmt.Sprintf("failures in a row: %d", c.badRow))
	}
	if c.onlyFailures(now) {
		parts = append(parts, fmt.Sprintf("all uses failed for %v", short(c.lastFailure.Sub(c.failuresSince))))
	}
	if c.pool != "" {
		parts = append(parts, c.pool)
	}
	return strings.Join(parts, ", ")
}

// problem is the full reason why the check does not pass.
func (c *check) problem(now time.Time) error {
	err := fmt.Errorf("%s: %s (%s)", c.name, c.state(now), c.detail(now))
	if c.err != nil {
		err = fmt.Errorf("%w: %w", err, c.err)
	}
	return err
}

// short rounds a duration to about three digits.
func short(d time.Duration) time.Duration {
	switch {
	case d > 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d > 10*time.Millisecond:
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Microsecond)
}
