package diagnosis

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
)

// specOf is the probe in the Pod's spec; nil if it is not there.
func (f *Facts) specOf(p *Probe) *corev1.Probe {
	_, spec := lifecycle.ProbeOf(&f.Pod.Spec, p.Container, p.Type)
	return spec
}

// failureOf is in which way the last attempt of a probe failed.
func (f *Facts) failureOf(p *Probe) Failure { return FailureOf(p.Output, f.specOf(p)) }

// pathOf is the path of a container in the Pod's spec; "" if it is not there.
func (f *Facts) pathOf(name string) string {
	named := func(c corev1.Container) bool { return c.Name == name }
	if i := slices.IndexFunc(f.Pod.Spec.Containers, named); i >= 0 {
		return fmt.Sprintf("spec.containers[%d]", i)
	}
	if i := slices.IndexFunc(f.Pod.Spec.InitContainers, named); i >= 0 {
		return fmt.Sprintf("spec.initContainers[%d]", i)
	}
	return ""
}

// asked says what a probe asks: "GET /readyz", "tcp :5432", "exec pg_isready". withPort shows the
// port of a GET as well.
func (f *Facts) asked(p *Probe, withPort bool) string {
	c, spec := lifecycle.ProbeOf(&f.Pod.Spec, p.Container, p.Type)
	if spec == nil {
		return strings.ToLower(string(p.Type)) + " probe"
	}
	return Asked(c, spec, withPort)
}

// maxCommand is how many columns of a command are shown.
const maxCommand = 60

// Asked says what a probe of a container asks: "GET /readyz", "tcp :5432", "grpc :9000", "exec
// pg_isready". Ports have the numbers of the manifest; withPort shows that of a GET as well.
func Asked(c *corev1.Container, p *corev1.Probe, withPort bool) string {
	at := ""
	if port, _, ok := portOf(p); ok {
		at = ":" + portText(c, port)
	}
	text := "exec"
	switch {
	case p.HTTPGet != nil:
		text = "GET "
		if p.HTTPGet.Scheme == corev1.URISchemeHTTPS {
			text += "https "
		}
		if withPort {
			text += at
		}
		text += "/" + strings.TrimPrefix(p.HTTPGet.Path, "/")
	case p.TCPSocket != nil:
		text = "tcp " + at
	case p.GRPC != nil:
		text = "grpc " + at
		if p.GRPC.Service != nil && *p.GRPC.Service != "" {
			text += " " + *p.GRPC.Service
		}
	case p.Exec != nil && len(p.Exec.Command) > 0:
		command := oneLine(strings.Join(p.Exec.Command, " "))
		if text += " " + printable.Fit(command, maxCommand); printable.Width(command) > maxCommand {
			text += "…"
		}
	}
	return oneLine(text)
}

// portText is a port of the manifest as a number; that of a name that no port of the container has
// is the name.
func portText(c *corev1.Container, port intstr.IntOrString) string {
	if c != nil && port.Type == intstr.String {
		for _, declared := range c.Ports {
			if declared.Name == port.StrVal {
				return strconv.Itoa(int(declared.ContainerPort))
			}
		}
	}
	return port.String()
}

// portOf is the port of a probe as it is written, and its path below the probe.
func portOf(p *corev1.Probe) (port intstr.IntOrString, field string, ok bool) {
	switch {
	case p.HTTPGet != nil:
		return p.HTTPGet.Port, "httpGet.port", true
	case p.TCPSocket != nil:
		return p.TCPSocket.Port, "tcpSocket.port", true
	case p.GRPC != nil:
		return intstr.FromInt32(p.GRPC.Port), "grpc.port", true
	}
	return port, "", false
}

// declaredPort is the number of the port that a probe asks, as the manifest counts; 0 if there is
// none.
func (f *Facts) declaredPort(p *Probe) int {
	c, spec := lifecycle.ProbeOf(&f.Pod.Spec, p.Container, p.Type)
	if spec == nil {
		return 0
	}
	port, _, ok := portOf(spec)
	if !ok {
		return 0
	}
	n, _ := strconv.Atoi(portText(c, port)) // a name of nothing has no number
	return n
}

// Found says what the last attempt of a probe found, which failed, what was asked, and how many
// failures in a row there are: "timeout 1 s · GET /livez · 2/3".
func (f *Facts) Found(p *Probe) string {
	return oneLine(f.found(p) + f.Style.dot() + fraction(p.Run, p.Threshold))
}

// found says what the last attempt of a probe found, which failed, and what was asked.
func (f *Facts) found(p *Probe) string {
	failure := f.failureOf(p)
	withPort := failure.cause == refused || failure.cause == stranger
	return f.of(p.Container) + failure.Reason(f.Style) + f.Style.dot() + f.asked(p, withPort)
}

// of names a container where the Pod has several.
func (f *Facts) of(container string) string {
	if len(f.Pod.Spec.Containers)+len(f.Pod.Spec.InitContainers) == 1 {
		return ""
	}
	return container + ": "
}

// probeFails diagnoses a Pod by a probe that fails.
func (f *Facts) probeFails(d *Diagnosis, p *Probe) {
	failure, found, dot := f.failureOf(p), f.found(p), f.Style.dot()
	answer := ""
	if body := said(p.Body); body != "" && failure.cause != command { // whose output it is
		answer = dot + f.Style.quote(body)
	}
	counter, consequence := f.counter(d, p)
	d.Reason, d.Why = found+dot+counter, found+dot+counter
	d.Cause = fmt.Sprint(found, p.Passing, p.EverPassed)
	switch {
	case p.Type == startup && !f.Containers[p.Container].Stopping:
		d.Why = fmt.Sprintf("%s%sattempt %d of %d", found, dot, p.Run, p.Threshold)
	case p.Type == readiness && !p.EverPassed:
		d.Why += f.neverSince(p)
	}
	d.Reason += answer
	d.Why += answer
	if next := f.nextAttempt(p); next > 0 && p.Type == liveness {
		d.Why += " (next attempt in " + Span(next) + ")"
	}
	d.Why = strings.TrimSuffix(d.Why, ".") + "."
	if text := connection(failure, p); text != "" {
		d.Why += " " + text
	}
	d.So = consequence
	d.Next = f.nextForProbe(p, failure)
	d.Attention = d.Attention || p.Type == liveness && p.Failed
}

// connection says how far an attempt came that got no answer.
func connection(failure Failure, p *Probe) string {
	if failure.cause != timedOut || !p.Connected {
		return ""
	}
	return "Connected in " + Latency(p.ConnectTook) + ", sent, then silence."
}

// counter is how far a probe has counted, and what follows when it is full. It fills in Check.
func (f *Facts) counter(d *Diagnosis, p *Probe) (text, so string) {
	d.Check = fraction(p.Run, p.Threshold)
	switch {
	case p.Type != readiness && f.Containers[p.Container].Stopping:
		if p.Run == 0 { // it counts anew once it has asked for the restart
			d.Check = fraction(p.Threshold, p.Threshold)
		}
		text = d.Check + ", it is being restarted"
		d.State, d.Attention, d.Check = NotReady, true, f.killClock(p.Container, d.Check)
		return text, f.restartText(p.Container)
	case p.Type == liveness:
		text = d.Check
		if left := p.Threshold - p.Run; left == 1 {
			text += ", one more and it is restarted"
		} else if left > 1 {
			text += ", " + strconv.Itoa(left) + " more and it is restarted"
		}
		return text, f.livenessSo(p)
	case p.Type == startup:
		return d.Check, f.startupSo(p)
	case !p.EverPassed:
		d.Check = "never"
		return f.neverText(p), f.neverSo()
	case p.Known && !p.Passing:
		d.Check += " out"
		text = "out of rotation"
		if since := f.outFor(p); since > 0 {
			text += " for " + Span(since)
		}
		return text, f.outSo(p)
	}
	return d.Check + ", then out of rotation", f.leftText()
}

// neverText is how often a Pod was asked that was never ready.
func (f *Facts) neverText(p *Probe) string {
	if p.Attempts == 0 {
		return "never ready"
	}
	return count(p.Attempts, "attempt")
}

// neverSince goes on after that, at length.
func (f *Facts) neverSince(p *Probe) string {
	if p.Attempts == 0 {
		return ""
	}
	text := ", never ready"
	if started := f.startedAt(); !started.IsZero() {
		text = " in " + Span(f.Now.Sub(started).Truncate(time.Second)) + text
	}
	return text
}

func (f *Facts) outFor(p *Probe) time.Duration {
	since := p.FailingSince
	if since.IsZero() {
		since = f.readyChanged()
	}
	if since.IsZero() {
		return 0
	}
	return f.Now.Sub(since).Truncate(time.Second)
}

// nextAttempt is how long it is until a probe is asked again; 0 if it is not, or that is not known.
func (f *Facts) nextAttempt(p *Probe) time.Duration {
	spec := f.specOf(p)
	if spec == nil || p.At.IsZero() || f.Containers[p.Container].Stopping {
		return 0
	}
	left := p.At.Add(seconds(spec.PeriodSeconds)).Sub(f.Now)
	return max(left.Truncate(100*time.Millisecond), 0)
}

// Refused reports whether nobody listened in the last attempt of a probe, which failed.
func (f *Facts) Refused(p *Probe) bool { return f.failureOf(p).cause == refused }
