// Package verdict says what an answer, or the lack of one, means for a probe, in the kubelet's
// words. The handlers of package probe and the engine both use it, so that all attempts say the
// same.
package verdict

import (
	"fmt"
	"strings"
)

// OutputLimit is how many bytes of a response body, of a command's output or of a failure's text
// are kept (R61, R87).
const OutputLimit = 10 << 10

// DetailLimit is how many bytes of a body are kept for people only.
const DetailLimit = 1 << 10

// Beginning is what is kept of a body for people. Whoever keeps it does not keep the rest of the
// body's memory.
func Beginning(body string) string {
	if len(body) <= DetailLimit {
		return body
	}
	return strings.Clone(body[:DetailLimit])
}

// Verdict is what an attempt says about a service. Package probe, which this package cannot import,
// makes a Result of it.
type Verdict struct {
	Outcome Outcome
	Output  string
}

// Outcome is a probe.Outcome: the numbers are the same.
type Outcome int

// The outcomes that an answer can have.
const (
	Success Outcome = iota + 1
	Warning
	Failure
)

// Failed returns the verdict on a service that has failed the attempt. The text may quote what the
// service sent and is therefore cut.
func Failed(text string) Verdict {
	return Verdict{Outcome: Failure, Output: text[:min(len(text), OutputLimit)]}
}

// HTTP returns the verdict on a complete answer: its status and the first 10 KiB of its body (R62,
// R63). The body of a failure is kept out of the text, because events are read by more people than
// the service's answers.
func HTTP(status int, body string) Verdict {
	switch {
	case status >= 200 && status < 300:
		return Verdict{Outcome: Success, Output: body}
	case status >= 300 && status < 400:
		return Verdict{Outcome: Warning, Output: "Probe terminated redirects, Response body: " + body}
	}
	return Failed(fmt.Sprintf("HTTP probe failed with statuscode: %d", status))
}
