package history

import "time"

// Outcome is what one attempt of a probe came to, for people.
type Outcome uint8

// The outcomes, the better first.
const (
	Answered  Outcome = iota // the service is well
	Warning                  // counts as well, and is reported: a redirect to elsewhere (R44)
	NoVerdict                // a prober error: it says nothing about the service and is not counted (R47)
	Failed                   // the service answered no, refused, or the command's exit code is not 0
	TimedOut                 // a failure because no answer came in time
	outcomes                 // how many there are
)

// String is the outcome in words: "answered", "warning", "no verdict", "failed" or "timed out".
func (o Outcome) String() string {
	switch o {
	case Answered:
		return "answered"
	case Warning:
		return "warning"
	case NoVerdict:
		return "no verdict"
	case Failed:
		return "failed"
	case TimedOut:
		return "timed out"
	}
	return "unknown outcome"
}

// success reports whether the attempt counts as a success.
func (o Outcome) success() bool { return o == Answered || o == Warning }

// failure reports whether the attempt counts as a failure.
func (o Outcome) failure() bool { return o == Failed || o == TimedOut }

// Result is what is acted upon: what the kubelet has published of a probe.
type Result uint8

// The results. A liveness probe begins with Passing, a readiness probe with Failing (R22).
const (
	NotKnown Result = iota
	Passing
	Failing
)

// String is the result in words: "not known", "passing" or "failing".
func (r Result) String() string {
	switch r {
	case Passing:
		return "passing"
	case Failing:
		return "failing"
	default:
		return "not known"
	}
}

// Attempt is one attempt of a probe, and what was counted after it.
type Attempt struct {
	// Seq numbers the attempts of a probe from 1 on.
	Seq uint64
	// Time is when it began, to the microsecond; Took is how long it took, at most 71 minutes.
	Time time.Time
	Took time.Duration
	// Outcome is what it came to.
	Outcome Outcome
	// NotYet says of a failure that it is one of a service which has not come up yet: no attempt of
	// this probe has succeeded on this instance, and the failure was not acted upon.
	NotYet bool
	// Told says that nobody has counted or measured: an Event of a cluster, which tells only what
	// goes wrong, and not all of that, is all that is known. NotYet is then what the writer says.
	Told bool
	// Instance is the number of the container's instance: how many restarts there were before.
	Instance int
	// Message is why it did not simply succeed, in the kubelet's words, at most MaxMessage bytes.
	// It is text of the service. Empty for Answered, and for an attempt that is so long ago that
	// 16 other messages came since.
	Message string
	// Run of Threshold is the counter: how many equal results there were in a row, at most 65535,
	// and how many it takes. Failing says what is counted: failures, or successes.
	Run, Threshold int
	Failing        bool
	// Result is what was acted upon after the attempt.
	Result Result
}

// Detail is what else is known of an attempt. Only people are to see it: a body may hold what few
// should read, so it is in no Event, no object and no file.
type Detail struct {
	// Seq is that of the attempt.
	Seq uint64
	// Remote is the address of the connection, "" if there was none.
	Remote string
	// Status is the HTTP status of the answer, 0 if there was none.
	Status int
	// ExitCode is that of an exec probe's command that ended in time; else 0.
	ExitCode int
	// Message is the whole reason, up to MaxBody bytes; empty for Answered.
	Message string
	// Body is the beginning of the answer's body or of a command's output, up to MaxBody bytes and
	// any of them. BodySize is how many bytes were read of it, at most 10 KiB.
	Body     string
	BodySize int
	// Connect, FirstByte and Total are the times from the beginning of the attempt to the
	// connection, to the first byte of the answer, and to the result. 0 means that it never came to
	// that.
	Connect, FirstByte, Total time.Duration
	// TimedOut says that the time was up.
	TimedOut bool
}

const (
	// MaxMessage is how many bytes of a message are kept with each attempt.
	MaxMessage = 200
	// MaxBody is how many bytes of a body, and of a message, are kept in detail.
	MaxBody = 1 << 10
)
