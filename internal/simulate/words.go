package simulate

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/lifecycle"
)

// host is where every simulated Pod listens; the port is the declared one.
const host = "127.0.0.1"

// words are the texts of one probe's outcomes, as the handlers of package probe give them.
type words struct{ refused, silent, status, broken string }

func wordsOf(c *corev1.Container, p *corev1.Probe) words {
	timeout := time.Duration(p.TimeoutSeconds) * time.Second
	switch {
	case p.HTTPGet != nil:
		h := p.HTTPGet
		at := fmt.Sprintf("%s:%s", hostOr(h.Host), portOf(c, h.Port))
		get := fmt.Sprintf("Get %q: ", strings.ToLower(string(h.Scheme))+"://"+at+path(h.Path))
		return words{
			refused: get + "dial tcp " + at + ": connect: connection refused",
			silent:  get + "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
			status:  "HTTP probe failed with statuscode: %d",
			broken:  "unexpected EOF",
		}
	case p.TCPSocket != nil:
		at := fmt.Sprintf("%s:%s", hostOr(p.TCPSocket.Host), portOf(c, p.TCPSocket.Port))
		return words{refused: "dial tcp " + at + ": connect: connection refused", silent: "dial tcp " + at + ": i/o timeout"}
	case p.GRPC != nil:
		return words{
			refused: fmt.Sprintf("timeout: failed to connect service %q within %v: context deadline exceeded", fmt.Sprintf("%s:%d", host, p.GRPC.Port), timeout),
			silent:  fmt.Sprintf("timeout: health rpc did not complete within %v", timeout),
			status:  `service unhealthy (responded with "NOT_SERVING")`,
			broken:  "error: health rpc probe failed: rpc error: code = Internal desc = ",
		}
	case p.Exec != nil:
		line := strings.Join(p.Exec.Command, " ")
		return words{
			silent: fmt.Sprintf("command timed out: %q timed out after %v", line, timeout),
			broken: fmt.Sprintf("cannot start %q", firstWord(p.Exec.Command)),
		}
	default:
		return words{broken: "the probe has no handler"}
	}
}

// failure is the answer to an attempt that met a Reply other than a good one.
func (w words) failure(r Reply) (lifecycle.Outcome, string) {
	switch r.Kind {
	case Refused:
		return lifecycle.OutcomeFailure, w.refused
	case Silent:
		return lifecycle.OutcomeFailure, w.silent
	case Broken:
		return lifecycle.OutcomeErrorFailure, w.broken
	case Status:
		return w.answered(r.Code)
	default:
		return lifecycle.OutcomeSuccess, ""
	}
}

// answered classes a status code (R62). Of handlers without codes, 200 to 399 stand for a good answer.
func (w words) answered(code int) (lifecycle.Outcome, string) {
	if code == 0 {
		code = http.StatusServiceUnavailable
	}
	switch {
	case code >= 200 && code < 300:
		return lifecycle.OutcomeSuccess, ""
	case code >= 300 && code < 400 && strings.Contains(w.status, "%d"):
		return lifecycle.OutcomeWarning, "Probe terminated redirects, Response body: "
	case code >= 300 && code < 400:
		return lifecycle.OutcomeSuccess, ""
	case strings.Contains(w.status, "%d"):
		return lifecycle.OutcomeFailure, fmt.Sprintf(w.status, code)
	default:
		return lifecycle.OutcomeFailure, w.status
	}
}

func hostOr(h string) string {
	if h == "" {
		return host
	}
	return h
}

func portOf(c *corev1.Container, port intstr.IntOrString) string {
	for _, p := range c.Ports {
		if port.Type == intstr.String && p.Name == port.StrVal {
			return fmt.Sprint(p.ContainerPort)
		}
	}
	return port.String()
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
