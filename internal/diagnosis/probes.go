package diagnosis

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
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

var (
	statusCode   = regexp.MustCompile(`^HTTP probe failed with statuscode: (\d{3})$`)
	strangerText = regexp.MustCompile(`^port \d+ does not belong to this Pod: `)
)

// causeOf finds the way in the text of the handler, which is the kubelet's. A command, and a server
// of gRPC, can put any text into that: only what stands where the kubelet's own words stand counts.
func causeOf(p Probe, spec *corev1.Probe) (c cause, code int) {
	text := p.Output
	begins := func(beginnings ...string) bool {
		return slices.ContainsFunc(beginnings, func(beginning string) bool { return strings.HasPrefix(text, beginning) })
	}
	switch {
	case spec != nil && spec.Exec != nil && begins("command timed out: "):
		return timedOut, 0
	case spec != nil && spec.Exec != nil:
		return command, 0
	case strangerText.MatchString(text):
		return stranger, 0
	case spec == nil || spec.GRPC == nil:
		return connectionCause(text, spec != nil && spec.HTTPGet != nil)
	case begins("timeout: "):
		return timedOut, 0
	case begins("service unhealthy (responded with", "error: health rpc probe failed"):
		return unhealthy, 0
	}
	return otherwise, 0
}

// connectionCause finds the way in the text of an HTTP or a TCP handler: the status, or how the
// error of the connection ends.
func connectionCause(text string, http bool) (c cause, code int) {
	if m := statusCode.FindStringSubmatch(text); http && m != nil {
		code, _ = strconv.Atoi(m[1]) // three digits
		return status, code
	}
	ends := func(endings ...string) bool {
		return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(text, ending) })
	}
	switch {
	case ends("connection refused"):
		return refused, 0
	case ends("deadline exceeded", "i/o timeout") || ends(")") && strings.Contains(text, "(Client.Timeout "):
		return timedOut, 0
	case ends("connection reset by peer", "EOF", "broken pipe"):
		return reset, 0
	}
	return otherwise, 0
}

// reasonOf names the cause, with few words.
func (f *Facts) reasonOf(p Probe) string {
	spec := f.specOf(p)
	c, code := causeOf(p, spec)
	switch c {
	case refused:
		return "connection refused"
	case timedOut:
		if spec == nil {
			return "timeout"
		}
		return fmt.Sprintf("timeout %d s", spec.TimeoutSeconds)
	case status:
		return fmt.Sprintf("HTTP %d", code)
	case reset:
		return "connection closed without an answer"
	case unhealthy:
		if _, rest, ok := strings.Cut(p.Output, `responded with "`); ok {
			name, _, _ := strings.Cut(rest, `"`)
			return "gRPC " + name
		}
		return "gRPC call failed"
	case stranger:
		return p.Output
	case command:
		if strings.TrimSpace(p.Output) == "" {
			return "the command failed and printed nothing"
		}
		return quoted(p.Output)
	}
	if strings.TrimSpace(p.Output) == "" {
		return "failed"
	}
	return quoted(p.Output)
}

// specOf is the probe in the Pod's spec; nil if it is not there.
func (f *Facts) specOf(p Probe) *corev1.Probe {
	c, _ := f.containerOf(p.Container)
	if c == nil {
		return nil
	}
	switch p.Type {
	case startup:
		return c.StartupProbe
	case readiness:
		return c.ReadinessProbe
	}
	return c.LivenessProbe
}

// containerOf is a container of the Pod's spec, and the path of it there.
func (f *Facts) containerOf(name string) (c *corev1.Container, path string) {
	for i := range f.Pod.Spec.Containers {
		if c := &f.Pod.Spec.Containers[i]; c.Name == name {
			return c, fmt.Sprintf("spec.containers[%d]", i)
		}
	}
	for i := range f.Pod.Spec.InitContainers {
		if c := &f.Pod.Spec.InitContainers[i]; c.Name == name {
			return c, fmt.Sprintf("spec.initContainers[%d]", i)
		}
	}
	return nil, ""
}

// asked says what a probe asks: "GET /readyz", "tcp :5432", "exec pg_isready". withPort shows the
// port of a GET as well.
func (f *Facts) asked(p Probe, withPort bool) string {
	spec := f.specOf(p)
	if spec == nil {
		return strings.ToLower(string(p.Type)) + " probe"
	}
	return Asked(spec, f.declaredPort(p), withPort)
}

// Asked says what a probe asks: "GET /readyz", "tcp :5432", "grpc :9000", "exec pg_isready". port
// is the port's number, 0 if it is not known; withPort shows that of a GET as well.
func Asked(p *corev1.Probe, port int, withPort bool) string {
	at := ""
	if port != 0 {
		at = ":" + strconv.Itoa(port)
	}
	switch {
	case p.HTTPGet != nil:
		if !withPort {
			at = ""
		}
		return "GET " + at + p.HTTPGet.Path
	case p.TCPSocket != nil:
		return "tcp " + at
	case p.GRPC != nil:
		service := ""
		if p.GRPC.Service != nil && *p.GRPC.Service != "" {
			service = " " + *p.GRPC.Service
		}
		return "grpc " + at + service
	case p.Exec != nil && len(p.Exec.Command) > 0:
		return "exec " + strings.Join(p.Exec.Command, " ")
	}
	return "exec"
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
func (f *Facts) declaredPort(p Probe) int {
	spec := f.specOf(p)
	if spec == nil {
		return 0
	}
	port, _, ok := portOf(spec)
	if !ok || port.Type == intstr.Int {
		return int(port.IntVal)
	}
	c, _ := f.containerOf(p.Container)
	for _, declared := range c.Ports {
		if declared.Name == port.StrVal {
			return int(declared.ContainerPort)
		}
	}
	n, _ := strconv.Atoi(port.StrVal) // a name of nothing has no number
	return n
}

// probeFails diagnoses a Pod by a probe that fails.
func (f *Facts) probeFails(d *Diagnosis, p *Probe) {
	c, _ := causeOf(*p, f.specOf(*p))
	reason, what := f.reasonOf(*p), f.asked(*p, c == refused || c == stranger)
	answer := ""
	if body := said(p.Body); body != "" {
		answer = " · " + quoted(body)
	}
	counter, consequence := f.counter(d, p)
	d.Reason = reason + " · " + what + " · " + counter + answer
	d.Cause = fmt.Sprint(reason, what, p.Passing, p.EverPassed)
	d.Why = d.Reason
	if p.Type == startup {
		d.Why = fmt.Sprintf("%s · %s · attempt %d of %d%s", reason, what, p.Run, p.Threshold, answer)
	}
	if next := f.nextAttempt(p); next > 0 && p.Type == liveness {
		d.Why += " (next attempt in " + span(next) + ")"
	}
	d.Why = strings.TrimSuffix(d.Why, ".") + "."
	if text := connection(c, p); text != "" {
		d.Why += " " + text
	}
	d.So = consequence
	d.Next = f.nextForProbe(p, c)
	d.Attention = d.Attention || p.Type == liveness && p.Failed
}

// connection says how far an attempt came that got no answer.
func connection(c cause, p *Probe) string {
	if c != timedOut || !p.Connected {
		return ""
	}
	return "Connected in " + Latency(p.ConnectTook) + ", sent, then silence."
}

// counter is how far a probe has counted, and what follows when it is full. It fills in Check.
func (f *Facts) counter(d *Diagnosis, p *Probe) (text, so string) {
	d.Check = fraction(p.Run, p.Threshold)
	switch {
	case p.Type == liveness && f.Containers[p.Container].Stopping:
		d.State, d.Attention = NotReady, true
		return d.Check + ", it is being restarted", f.restartText(p)
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
			text += " for " + span(since)
		}
		return text, f.outSo(p)
	}
	return d.Check + ", then out of rotation", f.leftText()
}

func (f *Facts) neverText(p *Probe) string {
	if p.Attempts == 0 {
		return "never ready"
	}
	text := count(p.Attempts, "attempt")
	if started := f.startedAt(); !started.IsZero() {
		text += " in " + span(f.Now.Sub(started).Truncate(time.Second))
	}
	return text + ", never ready"
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

// nextAttempt is when a probe is asked again; 0 if that is not known.
func (f *Facts) nextAttempt(p *Probe) time.Duration {
	spec := f.specOf(*p)
	if spec == nil || p.At.IsZero() {
		return 0
	}
	left := p.At.Add(seconds(spec.PeriodSeconds)).Sub(f.Now)
	return max(left.Truncate(100*time.Millisecond), 0)
}
