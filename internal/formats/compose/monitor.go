package compose

import "time"

// Status is what Docker says of a container with a health check.
type Status string

// The statuses.
const (
	Starting  Status = "starting"
	Healthy   Status = "healthy"
	Unhealthy Status = "unhealthy"
)

// A Check is one run of a health check by Docker. Times count from the start of the container.
type Check struct {
	Begin, End time.Duration
	OK         bool
	// Counted is false for a failure in the start period, which does not count.
	Counted bool
	// Status is that of the container from End on.
	Status Status
}

// Answer is what a check finds that begins at a time: how long the command takes, and whether it
// exits with 0.
type Answer func(begin time.Duration) (takes time.Duration, ok bool)

// Monitor lists the checks that begin before the end, and what Docker makes of them. It waits
// before each check, the first one too, and counts the wait from the end of the one before, so that
// slow checks are further apart than the interval. What takes longer than the timeout is killed and
// has failed. The time to start the command is left out: Docker does not count it.
func Monitor(t Timing, answer Answer, end time.Duration) []Check {
	var checks []Check
	status, streak := Starting, 0
	for now := t.wait(0, status); now < end; now += t.wait(now, status) {
		takes, ok := answer(now)
		if takes > t.Timeout {
			takes, ok = t.Timeout, false
		}
		c := Check{Begin: now, End: now + takes, OK: ok}
		c.Counted = ok || status != Starting || c.Begin >= t.StartPeriod
		switch {
		case ok:
			status, streak = Healthy, 0
		case c.Counted:
			if streak++; streak >= t.Retries {
				status = Unhealthy
			}
		}
		c.Status = status
		checks = append(checks, c)
		now = c.End
	}
	return checks
}

// wait is how long Docker waits for the next check.
func (t Timing) wait(now time.Duration, status Status) time.Duration {
	if status == Starting && now < t.StartPeriod {
		return t.StartInterval
	}
	return t.Interval
}

// Becomes is when a container first gets a status, from a time on; ok is false if it does not.
func Becomes(checks []Check, status Status, from time.Duration) (at time.Duration, ok bool) {
	for _, c := range checks {
		if c.End >= from && c.Status == status {
			return c.End, true
		}
	}
	return 0, false
}
