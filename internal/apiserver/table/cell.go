package table

import (
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
)

// What stands in a cell that has nothing to show.
const (
	none    = "<none>"
	unknown = "<unknown>"
)

// age is how long ago something was, in the words of kubectl. What the clock of another process
// puts into the future is as old as now.
func age(t, now time.Time) string {
	if t.IsZero() {
		return unknown
	}
	return duration.HumanDuration(max(0, now.Sub(t)))
}

// maxListed is how many elements of a list stand in a cell.
const maxListed = 3

// listed is the first elements of a list, and how many there are beside them.
func listed(list []string) string {
	switch more := len(list) - maxListed; {
	case more > 0:
		return strings.Join(list[:maxListed], ",") + " + " + strconv.Itoa(more) + " more..."
	case strings.Join(list, ",") == "":
		return "<unset>"
	}
	return strings.Join(list, ",")
}

// fraction is how many of a number there are: 1/2.
func fraction(n, of int) string { return strconv.Itoa(n) + "/" + strconv.Itoa(of) }
