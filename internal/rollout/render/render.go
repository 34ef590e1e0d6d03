// Package render puts in words what package rollout finds: the verdict, the live view, lines for a
// pipe, and objects of JSON. All of it is pure; nothing here knows a stream or a clock.
package render

import (
	"time"

	"github.com/probity-run/probity/internal/rollout"
)

// Verdict is the last block of a deployment, in lines.
func Verdict(object rollout.Object, v *rollout.Verdict, now time.Time) []string { return nil }

// Live is the picture of some rollouts in a terminal of so many columns, in lines. begun is when
// the deployment began, now the instant by the clock of the server.
func Live(all []rollout.Result, begun, now time.Time, width int) []string { return nil }

// Changes are the lines that a pipe gets when a rollout went from one result to the next; before is
// the zero value at first. The caller puts the age before each. Nothing is said twice as long as
// the results are those of one rollout in their order.
func Changes(before, after *rollout.Result) []string { return nil }

// JSON has the objects for what differs in a result from the one
// before, each to be written on a line of its own.
func JSON(before, after *rollout.Result, now time.Time) []any { return nil }
