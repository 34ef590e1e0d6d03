// Package lines decides what a run says where it has no screen: in a pipe, in CI, to a screen
// reader. A [Reporter] takes what changes, objects of the store and attempts of probes, and gives
// lines: what became ready, what is not any more and why, what failed, restarted and ended.
//
// Everything here is a function of what came before and an instant. Nothing reads a clock, starts a
// goroutine or writes.
package lines

import (
	"fmt"
	"time"

	"github.com/probity-run/probity/internal/diagnosis"
)

// Word is what a line is about. The list is closed, so that scripts can rely on it.
type Word string

// The words. Each one tells of one thing.
const (
	Starting Word = "Starting" // a Pod was made; only with Options.Plain
	Started  Word = "Started"  // a container runs, or a Service has an address
	Waiting  Word = "Waiting"  // a Pod is not ready yet: after 5, 15 and 60 s, then each minute
	Ready    Word = "Ready"    // a Pod became Ready, a workload is complete
	NotReady Word = "NotReady" // a Pod is not Ready any more, a workload not complete any more
	Failing  Word = "Failing"  // the first failure of a probe in a row, below its threshold
	Restart  Word = "Restart"  // a container is being killed because of a probe
	Exited   Word = "Exited"   // a container ended, or could not be started
	BackOff  Word = "BackOff"  // the next start of a container has to wait
	Lost     Word = "Lost"     // requests to a Service got no answer
	Refused  Word = "Refused"  // a saved manifest is wrong
	Complete Word = "Complete" // a Pod or an init container did its work and ended
	Stopping Word = "Stopping" // a Pod is being deleted; only with Options.Plain
	Stopped  Word = "Stopped"  // the end of the run
)

// Line is one line: when, what, of which object, and the rest.
type Line struct {
	Time time.Time
	Word Word
	// Object is kind/name, with namespace/ before it unless that is default; "" for the whole run.
	Object string
	// Text is what people read. What others wrote in it is fit to be printed.
	Text string
}

// String is the line as it is printed, without a line end: 15:04:05.000 local time, the word in
// nine columns, the object, and the text after two spaces.
func (l Line) String() string {
	head := fmt.Sprintf("%s %-9s ", l.Time.Local().Format("15:04:05.000"), l.Word)
	if l.Object == "" {
		return head + l.Text
	}
	return head + l.Object + "  " + l.Text
}

// seconds prints a whole number of seconds, as settings are: 1 s, 30 s, 5m00s.
func seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return diagnosis.Duration(d)
}
