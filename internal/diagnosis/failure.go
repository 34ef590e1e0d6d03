package diagnosis

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// cause is in which way an attempt failed.
type cause int

const (
	otherwise cause = iota
	refused         // nobody listens
	timedOut        // no answer in time
	status          // an answer of HTTP that is no success
	reset           // the connection broke before the answer
	unhealthy       // an answer of gRPC that is no success
	stranger        // a process that is not of the Pod listens
	command         // a command or a heartbeat said no
)

// Failure is in which way an attempt of a probe failed, as far as its text tells.
type Failure struct {
	cause   cause
	code    int    // of an answer of HTTP
	word    string // of an answer of gRPC: NOT_SERVING, Unimplemented
	text    string // what else was said, perhaps by others
	timeout int    // in seconds
}

// FailureOf reads the text of a failed attempt, which is the kubelet's. A command, and a server of
// gRPC, can put any text into that: only what stands where the kubelet's own words stand counts.
// spec is the probe; nil if nobody knows it.
func FailureOf(text string, spec *corev1.Probe) Failure {
	begins := func(beginnings ...string) bool {
		return slices.ContainsFunc(beginnings, func(beginning string) bool { return strings.HasPrefix(text, beginning) })
	}
	timeout := 0
	if spec != nil {
		timeout = max(int(spec.TimeoutSeconds), 1)
	}
	late := Failure{cause: timedOut, timeout: timeout}
	switch {
	case spec != nil && spec.Exec != nil && begins("command timed out: "):
		return late
	case spec != nil && spec.Exec != nil:
		return Failure{cause: command, text: lastLine(text)}
	case isStranger(text):
		return Failure{cause: stranger, text: text}
	case spec == nil || spec.GRPC == nil:
		f := connectionFailure(text, spec != nil && spec.HTTPGet != nil)
		f.timeout = timeout
		return f
	case begins("timeout: "):
		return late
	}
	return grpcFailure(text)
}

// isStranger recognises how the node says that another process than one of the Pod listens.
func isStranger(text string) bool {
	rest, ok := strings.CutPrefix(text, "port ")
	port, _, found := strings.Cut(rest, " does not belong to this Pod: ")
	return ok && found && isNumber(port)
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// connectionFailure finds the way in the text of an HTTP or a TCP handler: the status, or how the
// error of the connection ends.
func connectionFailure(text string, http bool) Failure {
	if code, ok := strings.CutPrefix(text, "HTTP probe failed with statuscode: "); ok && http && len(code) == 3 && isNumber(code) {
		n, _ := strconv.Atoi(code) // three digits
		return Failure{cause: status, code: n}
	}
	ends := func(endings ...string) bool {
		return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(text, ending) })
	}
	switch {
	case ends("connection refused"):
		return Failure{cause: refused}
	case ends("deadline exceeded", "i/o timeout") || ends(")") && strings.Contains(text, "(Client.Timeout "):
		return Failure{cause: timedOut}
	case ends("connection reset by peer", "EOF", "broken pipe"):
		return Failure{cause: reset}
	}
	if _, rest, ok := strings.Cut(text, `": `); ok && strings.HasPrefix(text, `Get "`) {
		text = rest // what was asked is said anyway
	}
	return Failure{cause: otherwise, text: text}
}

// grpcFailure finds the way in the text of a gRPC handler: what the service says of its health, or
// the status of the call.
func grpcFailure(text string) Failure {
	if rest, ok := strings.CutPrefix(text, `service unhealthy (responded with "`); ok {
		word, _, _ := strings.Cut(rest, `"`)
		return Failure{cause: unhealthy, word: word}
	}
	rest, ok := strings.CutPrefix(text, "error: health rpc probe failed: rpc error: code = ")
	if code, message, found := strings.Cut(rest, " desc = "); ok && found {
		return Failure{cause: unhealthy, word: code, text: message}
	}
	return Failure{cause: otherwise, text: text}
}

// Word is the way in one word, "" if there is none: "refused", "timeout", "503", "NOT_SERVING".
func (f Failure) Word() string {
	switch f.cause {
	case refused:
		return "refused"
	case timedOut:
		return "timeout"
	case status:
		return strconv.Itoa(f.code)
	}
	return oneLine(f.word)
}

// Text is what else was said: any bytes, perhaps of others; often "".
func (f Failure) Text() string { return f.text }

// Reason names the way in few words, with what else was said.
func (f Failure) Reason(style Style) string {
	said := strings.TrimSpace(f.text)
	switch f.cause {
	case refused:
		return "connection refused"
	case timedOut:
		if f.timeout == 0 {
			return "timeout"
		}
		return fmt.Sprintf("timeout %d s", f.timeout)
	case status:
		return fmt.Sprintf("HTTP %d", f.code)
	case reset:
		return "connection closed without an answer"
	case unhealthy:
		if said == "" {
			return f.word
		}
		return f.word + " " + style.quote(said)
	case command:
		if said == "" {
			return "the command failed and printed nothing"
		}
		return style.quote(said)
	}
	if said == "" {
		return "failed"
	}
	return shortened(said)
}

// lastLine is the last line of a text that is not empty.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}
