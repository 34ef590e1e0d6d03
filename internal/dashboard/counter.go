package dashboard

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
)

// counter is what is counted of a probe against its threshold.
type counter struct {
	// On of Of pips are filled; Of is 0 if there are too many to be seen at a glance.
	On, Of int
	// Good says that successes are counted, which bring a Pod back.
	Good bool
	// Text is the same in words: "2/3", "in rotation", "1/1 out".
	Text string
	// Class is how it is to be read: ok, bad, warn or "".
	Class string
}

// maxPips is how many pips can be told apart at a glance.
const maxPips = 6

// counterOf counts what was counted after an attempt.
func counterOf(t lifecycle.ProbeType, spec *corev1.Probe, a history.Attempt) counter {
	if a.Told {
		return counter{Text: "–"}
	}
	run := min(a.Run, a.Threshold)
	share := strconv.Itoa(run) + "/" + strconv.Itoa(a.Threshold)
	pips := func(c counter) counter {
		if a.Threshold <= maxPips {
			c.On, c.Of = run, a.Threshold
		}
		return c
	}
	readiness := t == lifecycle.Readiness
	switch {
	case readiness && a.Result == history.Failing && a.Failing:
		return pips(counter{Text: share + " out", Class: "bad"})
	case readiness && a.Result == history.Failing:
		return pips(counter{Text: share + " back", Good: true})
	case readiness && a.Failing && a.Outcome != history.NoVerdict:
		return pips(counter{Text: share})
	case readiness && a.Result == history.Passing:
		return counter{Text: "in rotation", Class: "ok"}
	case t == lifecycle.Startup && a.Result == history.Passing:
		return counter{Text: "passed", Class: "ok"}
	case a.Failing:
		return pips(counter{Text: share})
	}
	threshold := int(spec.FailureThreshold)
	if threshold > maxPips {
		return counter{Text: "0/" + strconv.Itoa(threshold)}
	}
	return counter{Of: threshold, Text: "0/" + strconv.Itoa(threshold)}
}

// markup is a counter: squares count failures, discs successes.
func (c counter) markup() item {
	var pips list
	for i := range c.Of {
		pip := "i"
		if i < c.On {
			if pip = "i.on"; c.Good {
				pip = "i.good"
			}
		}
		pips = append(pips, e(pip))
	}
	words := "span.small"
	if c.Class != "" {
		words += "." + c.Class
	}
	return list{when(c.Of > 0, e("span.pips", at("aria-hidden", "true"), pips)), e(words, text(c.Text))}
}

// latency is how long an attempt took; of one that timed out it is known that it would have taken
// longer.
func latency(a history.Attempt, timeout time.Duration) string {
	if a.Outcome == history.TimedOut {
		return "> " + strconv.Itoa(int(timeout.Seconds())) + " s"
	}
	if a.Told {
		return "–"
	}
	return diagnosis.Latency(a.Took)
}

// message is what an attempt said in one line, and what follows from it if it goes on; bad reports
// whether it is a failure. What others said in it can be shown as it is.
func message(t lifecycle.ProbeType, spec *corev1.Probe, a history.Attempt, d history.Detail) (line string, bad bool) {
	line, bad = said(t, spec, a, d)
	return oneLine(line), bad
}

func said(t lifecycle.ProbeType, spec *corev1.Probe, a history.Attempt, d history.Detail) (line string, bad bool) {
	switch a.Outcome {
	case history.Answered:
		return answer(spec, d), false
	case history.Warning:
		return "warning: " + a.Message, false
	case history.NoVerdict:
		return "not evaluated, not counted: " + a.Message, false
	case history.TimedOut:
		line = "no answer within " + strconv.Itoa(int(spec.TimeoutSeconds)) + " s"
	default:
		output := a.Message
		if d.Message != "" {
			output = d.Message
		}
		line = diagnosis.FailureOf(output, spec).Reason(diagnosis.Style{})
		if body := firstLine(d.Body); spec.HTTPGet != nil && body != "" {
			line += " · " + body
		}
	}
	if follows := consequence(t, a); follows != "" {
		line += " · " + follows
	}
	return line, !a.NotYet
}

// answer is what a success said.
func answer(spec *corev1.Probe, d history.Detail) string {
	switch {
	case spec.HTTPGet != nil && d.Status != 0:
		return strings.TrimSpace(strconv.Itoa(d.Status) + " " + http.StatusText(d.Status))
	case spec.Exec != nil && d.Seq != 0:
		if said := firstLine(d.Body); said != "" {
			return "exit 0 · " + said
		}
		return "exit 0"
	case spec.TCPSocket != nil:
		return "connected"
	case spec.GRPC != nil:
		return "SERVING"
	}
	return "answered"
}

func firstLine(body string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	return strings.ToValidUTF8(strings.TrimSpace(line), "?")
}

// soon is how many failures more are few enough to be said.
const soon = 3

// consequence is what follows from another failure, or another success.
func consequence(t lifecycle.ProbeType, a history.Attempt) string {
	left := a.Threshold - a.Run
	if left <= 0 || left > soon || !a.Failing || a.Told {
		return ""
	}
	more := "one more"
	if left > 1 {
		more = fmt.Sprintf("%d more", left)
	}
	switch {
	case t != lifecycle.Readiness:
		return more + " and it is restarted"
	case a.Result == history.Passing:
		return more + " and it is out of rotation"
	}
	return ""
}
