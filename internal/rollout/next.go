package rollout

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// next is what to do about a probe that fails.
func (f failing) next(t lifecycle.ProbeType, p *corev1.Probe) string {
	if p == nil {
		return ""
	}
	path := ""
	if p.HTTPGet != nil {
		path = clean("/" + strings.TrimPrefix(p.HTTPGet.Path, "/"))
	}
	switch word := f.failure.Word(); {
	case word == "404" && path != "":
		return fmt.Sprintf("does the program serve %s?", path)
	case (word == "401" || word == "403") && path != "":
		return fmt.Sprintf("let %s answer without a login: a probe has none", path)
	case f.ports != "" && word == "refused":
		return fmt.Sprintf("let %sProbe ask a port at which the program listens", f.which)
	case t == lifecycle.Startup:
		return startupAdvice(p)
	case word == "refused":
		return "does the program listen there, and on all addresses (0.0.0.0), not on 127.0.0.1 alone?"
	case word == "timeout":
		return fmt.Sprintf("raise %sProbe.timeoutSeconds (%d s), or look in its log what it waits for", f.which, max(p.TimeoutSeconds, 1))
	case f.answers() && t == lifecycle.Readiness:
		return "it says itself that it is not ready: its log should say what it waits for"
	}
	return ""
}

// startupAdvice is a threshold that gives a program more time.
func startupAdvice(p *corev1.Probe) string {
	period := int64(max(p.PeriodSeconds, 1))
	n, what := (60+period-1)/period, "a minute"
	if had := int64(p.FailureThreshold); n <= had {
		n, what = 2*had, "twice the time"
	}
	return fmt.Sprintf("failureThreshold: %d gives it %s; nothing is lost by it", n, what)
}
