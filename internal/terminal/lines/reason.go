package lines

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
)

const (
	// maxText is how many characters of what others wrote a line quotes.
	maxText = 200
	// maxCommand is how many characters of a command it shows.
	maxCommand = 60
)

// cause is why an attempt failed, as far as its text tells.
type cause int

const (
	causeOther cause = iota
	causeRefused
	causeTimeout
	causeStatus // an HTTP status
	causeExec
	causeServing // gRPC: it answered, but not SERVING
)

var (
	statusCode = regexp.MustCompile(`^HTTP probe failed with statuscode: (\d+)`)
	notServing = regexp.MustCompile(`^service unhealthy \(responded with "([A-Z_]+)"\)`)
	timedOut   = []string{"context deadline exceeded", "i/o timeout", "Client.Timeout", "timeout: failed to connect service"}
)

// causeOf reads the kubelet's text of a failed attempt: the cause, and its word or number.
func causeOf(output string, spec *corev1.Probe) (cause, string) {
	if spec.Exec != nil { // what a command prints may be anything
		if strings.HasPrefix(output, "command timed out: ") {
			return causeTimeout, ""
		}
		return causeExec, ""
	}
	if m := statusCode.FindStringSubmatch(output); m != nil {
		return causeStatus, m[1]
	}
	if m := notServing.FindStringSubmatch(output); m != nil {
		return causeServing, m[1]
	}
	for _, text := range timedOut {
		if strings.Contains(output, text) {
			return causeTimeout, ""
		}
	}
	if strings.Contains(output, "connection refused") {
		return causeRefused, ""
	}
	return causeOther, ""
}

// reason says why an attempt failed and what was asked: "timeout 1 s · GET /livez".
func (r *Reporter) reason(a Attempt, spec *corev1.Probe) string {
	cause, word := causeOf(a.Output, spec)
	withPort, what := false, ""
	switch cause {
	case causeRefused:
		withPort, what = true, "connection refused"
	case causeTimeout:
		what = "timeout " + seconds(time.Duration(max(spec.TimeoutSeconds, 1))*time.Second)
	case causeStatus:
		what = "HTTP " + word
	case causeServing:
		what = word
	case causeExec:
		if what = "it printed " + quoted(a.Output); strings.TrimSpace(a.Output) == "" {
			what = "it failed and printed nothing"
		}
	default:
		what = shortened(a.Output)
	}
	return what + r.dot() + r.asked(a.Pod, a.Container, &spec.ProbeHandler, withPort)
}

// asked names what a probe of a container asks, with the numbers of the manifest's ports.
func (r *Reporter) asked(pod types.UID, container string, h *corev1.ProbeHandler, withPort bool) string {
	portText := func(port intstr.IntOrString) string { return ":" + portNumber(r.pods[pod].object, container, port) }
	switch {
	case h.HTTPGet != nil:
		text := "GET "
		if h.HTTPGet.Scheme == corev1.URISchemeHTTPS {
			text += "https "
		}
		if withPort {
			text += portText(h.HTTPGet.Port)
		}
		return text + printable.Line("/"+strings.TrimPrefix(h.HTTPGet.Path, "/"))
	case h.TCPSocket != nil:
		return "tcp " + portText(h.TCPSocket.Port)
	case h.GRPC != nil:
		text := fmt.Sprintf("grpc :%d", h.GRPC.Port)
		if h.GRPC.Service != nil && *h.GRPC.Service != "" {
			text += " " + printable.Line(*h.GRPC.Service)
		}
		return text
	case h.Exec != nil && len(h.Exec.Command) > 0:
		return "exec " + printable.Line(first(strings.Join(h.Exec.Command, " "), maxCommand))
	}
	return "exec"
}

// portNumber is a port of the manifest; that of a name that no port of the container has is the
// name.
func portNumber(pod *corev1.Pod, container string, port intstr.IntOrString) string {
	for _, c := range lifecycle.Containers(&pod.Spec) {
		for _, p := range c.Ports {
			if c.Name == container && port.Type == intstr.String && p.Name == port.StrVal {
				return fmt.Sprint(p.ContainerPort)
			}
		}
	}
	return printable.Line(port.String())
}

// counter is how many failures in a row there are, of how many it takes.
func counter(row *row, spec *corev1.Probe) string {
	threshold := max(int(spec.FailureThreshold), 1)
	return fmt.Sprintf("%d/%d", min(row.failures, threshold), threshold)
}

// quoted is the last line of what a program printed that is not empty, in Go's quotes.
func quoted(output string) string { return strconv.Quote(cut(lastLine(output))) }

// lastLine is the last line that is not empty.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}

// prefixes of an HTTP client's error that say what the line says already.
var requestPrefix = regexp.MustCompile(`^Get "[^"]*": `)

// shortened is a text of others on one line.
func shortened(text string) string {
	text = requestPrefix.ReplaceAllString(strings.TrimSpace(text), "")
	return printable.Line(cut(strings.ReplaceAll(text, "\n", " ")))
}

// cut is the beginning of a text that is too long for a line.
func cut(text string) string { return first(text, maxText) }

// first is a text of so many characters at most.
func first(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
