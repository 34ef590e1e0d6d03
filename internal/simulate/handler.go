package simulate

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/simulate/script"
)

// host is where every simulated Pod listens; the port is the declared one.
const host = "127.0.0.1"

// Handler is what a probe's handler makes of replies: the outcome, in the words of package probe.
type Handler struct {
	refused, timedOut, status, errorText string
	// what an answer is that cannot be evaluated: to gRPC a failure like any other (R95), else an
	// error in one of two wordings (R47)
	errorOutcome lifecycle.ProbeOutcome
	// why no attempt can be made: the container does not declare a port of that name (R76)
	missingPort string
}

// NewHandler is the handler of a probe of a container.
func NewHandler(c *corev1.Container, p *corev1.Probe) Handler {
	h := handlerOf(c, p)
	h.missingPort = missingPort(c, p)
	return h
}

func handlerOf(c *corev1.Container, p *corev1.Probe) Handler {
	timeout := time.Duration(p.TimeoutSeconds) * time.Second
	switch {
	case p.HTTPGet != nil:
		h := p.HTTPGet
		at := fmt.Sprintf("%s:%s", hostOr(h.Host), portOf(c, h.Port))
		get := fmt.Sprintf("Get %q: ", strings.ToLower(string(h.Scheme))+"://"+at+path(h.Path))
		return Handler{
			refused:      get + "dial tcp " + at + ": connect: connection refused",
			timedOut:     get + "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
			status:       "HTTP probe failed with statuscode: %d",
			errorText:    "unexpected EOF",
			errorOutcome: lifecycle.OutcomeErrorFailure,
		}
	case p.TCPSocket != nil:
		at := fmt.Sprintf("%s:%s", hostOr(p.TCPSocket.Host), portOf(c, p.TCPSocket.Port))
		return Handler{refused: "dial tcp " + at + ": connect: connection refused", timedOut: "dial tcp " + at + ": i/o timeout", errorOutcome: lifecycle.OutcomeErrorFailure}
	case p.GRPC != nil:
		return Handler{
			refused:      fmt.Sprintf("timeout: failed to connect service %q within %v: context deadline exceeded", fmt.Sprintf("%s:%d", host, p.GRPC.Port), timeout),
			timedOut:     fmt.Sprintf("timeout: health rpc did not complete within %v", timeout),
			status:       `service unhealthy (responded with "NOT_SERVING")`,
			errorText:    "error: health rpc probe failed: rpc error: code = Internal desc = ",
			errorOutcome: lifecycle.OutcomeFailure,
		}
	case p.Exec != nil:
		line := strings.Join(p.Exec.Command, " ")
		return Handler{
			timedOut:     fmt.Sprintf("command timed out: %q timed out after %v", line, timeout),
			errorText:    "cannot start " + printable.Quote(firstWord(p.Exec.Command)),
			errorOutcome: lifecycle.OutcomeErrorUnknown,
		}
	default:
		return Handler{errorText: "the probe has no handler", errorOutcome: lifecycle.OutcomeErrorUnknown}
	}
}

// Outcome is the outcome of an attempt that got a reply, and the text that its Event has.
func (h Handler) Outcome(r script.Reply) (lifecycle.ProbeOutcome, string) {
	if h.missingPort != "" {
		return lifecycle.OutcomeErrorUnknown, h.missingPort
	}
	switch r.Kind {
	case script.ReplyRefused:
		return lifecycle.OutcomeFailure, h.refused
	case script.ReplyHang:
		return lifecycle.OutcomeFailure, h.timedOut
	case script.ReplyError:
		return h.errorOutcome, h.errorText
	case script.ReplyStatus:
		return h.answered(r.Code)
	default:
		return lifecycle.OutcomeSuccess, ""
	}
}

// answered classes a status code (R62). Of handlers without codes, 200 to 399 stand for a good
// answer.
func (h Handler) answered(code int) (lifecycle.ProbeOutcome, string) {
	if code == 0 {
		code = http.StatusServiceUnavailable
	}
	switch {
	case code >= 200 && code < 300:
		return lifecycle.OutcomeSuccess, ""
	case code >= 300 && code < 400 && strings.Contains(h.status, "%d"):
		return lifecycle.OutcomeWarning, "Probe terminated redirects, Response body: "
	case code >= 300 && code < 400:
		return lifecycle.OutcomeSuccess, ""
	case strings.Contains(h.status, "%d"):
		return lifecycle.OutcomeFailure, fmt.Sprintf(h.status, code)
	default:
		return lifecycle.OutcomeFailure, h.status
	}
}

func hostOr(h string) string {
	if h == "" {
		return host
	}
	return h
}

func portOf(c *corev1.Container, port intstr.IntOrString) string {
	if declared, ok := declaredPort(c, port); ok {
		return fmt.Sprint(declared)
	}
	return port.String()
}

// declaredPort resolves a port; a name may also be a number (R76).
func declaredPort(c *corev1.Container, port intstr.IntOrString) (number int, ok bool) {
	if port.Type == intstr.Int {
		return port.IntValue(), true
	}
	for _, p := range c.Ports {
		if p.Name == port.StrVal {
			return int(p.ContainerPort), true
		}
	}
	number, err := strconv.Atoi(port.StrVal)
	return number, err == nil
}

// missingPort is why a probe has no port to ask, or "".
func missingPort(c *corev1.Container, p *corev1.Probe) string {
	var port intstr.IntOrString
	switch {
	case p.HTTPGet != nil:
		port = p.HTTPGet.Port
	case p.TCPSocket != nil:
		port = p.TCPSocket.Port
	}
	if _, ok := declaredPort(c, port); ok {
		return ""
	}
	return fmt.Sprintf("strconv.Atoi: parsing %q: invalid syntax", port.StrVal)
}

func path(p string) string {
	if strings.HasPrefix(p, "/") {
		return p
	}
	return "/" + p
}

func firstWord(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
