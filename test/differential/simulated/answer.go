package simulated

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate"
	simscript "github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/test/differential/ledger"
	"github.com/probity-run/probity/test/differential/script"
)

// reply is what an attempt gets, in the simulator's words, and when.
type reply struct {
	simscript.Reply
	after  time.Duration
	stalls bool // until the attempt is over
	// that the simulator cannot know: what the program printed, the body of its answer, or what is
	// wrong with it
	text string
}

// probe makes an attempt. Outcome and text are the simulator's, as far as they are not the
// program's own words.
func (p *programs) probe(n *program, probe *corev1.Probe) (simulate.Answer, error) {
	r, err := p.replyTo(n, probe)
	if err != nil {
		return simulate.Answer{}, err
	}
	timeout := time.Duration(probe.TimeoutSeconds) * time.Second
	if r.stalls {
		r.after = timeout
	}
	if r.Kind == simscript.ReplyHang || r.after > timeout {
		r = reply{Reply: simscript.Reply{Kind: simscript.ReplyHang}, after: timeout}
	}
	outcome, output := simulate.NewHandler(n.spec, probe).Outcome(r.Reply)
	switch {
	case outcome == lifecycle.OutcomeErrorFailure && r.text != "":
		output = r.text
	case outcome == lifecycle.OutcomeWarning || probe.Exec != nil:
		output += r.text
	}
	return simulate.Answer{Outcome: outcome, Output: output, After: r.after}, nil
}

// replyTo is what an attempt gets.
func (p *programs) replyTo(n *program, probe *corev1.Probe) (reply, error) {
	switch {
	case probe.Exec != nil:
		return p.exec(n, probe.Exec.Command)
	case probe.TCPSocket != nil:
		return p.connect(n, probe.TCPSocket.Port)
	case probe.GRPC != nil:
		return p.check(n, int(probe.GRPC.Port), time.Duration(probe.TimeoutSeconds)*time.Second)
	default:
		return p.get(n, probe.HTTPGet)
	}
}

func (p *programs) exec(n *program, command []string) (reply, error) {
	if command[0] != playerPath {
		return reply{Reply: simscript.Reply{Kind: simscript.ReplyError}}, nil // there is no other program
	}
	d, err := parseAction(command)
	if err != nil {
		return reply{}, err
	}
	result, err := p.do(n, d)
	r := reply{after: result.after, text: result.out + result.errors}
	if result.code != 0 {
		r.Reply = simscript.Reply{Kind: simscript.ReplyStatus}
	}
	return r, err
}

// connect is all that a tcpSocket probe does.
func (p *programs) connect(n *program, port intstr.IntOrString) (reply, error) {
	number, ok := n.port(port)
	if !ok {
		return reply{}, nil // the simulator says what that means
	}
	mode, tcp := n.tcp[number]
	switch {
	case p.now() < n.up || !tcp && number != n.http && number != n.grpc:
		return reply{Reply: simscript.Reply{Kind: simscript.ReplyRefused}}, nil
	case mode == "open":
		p.log.write(p.now(), n.spec.Name, n.instance, ledger.Request, fmt.Sprintf("tcp %d", number), "open, nothing came")
	case mode == "close":
		p.log.write(p.now(), n.spec.Name, n.instance, ledger.Request, fmt.Sprintf("tcp %d", number), mode)
	case tcp && mode != "deaf":
		return reply{}, fmt.Errorf("a server that treats connections as %q has no translation", mode)
	}
	return reply{}, nil
}

// check asks gRPC's health service.
func (p *programs) check(n *program, port int, timeout time.Duration) (reply, error) {
	switch {
	case p.now() < n.up || port != n.http && port != n.grpc && n.tcp[port] == "":
		// it tries until then (R93)
		return reply{Reply: simscript.Reply{Kind: simscript.ReplyRefused}, after: timeout}, nil
	case port != n.grpc:
		return reply{}, errors.New("a gRPC probe of a server that does not speak it has no translation")
	}
	step, err := p.nextStep(n, ledger.Request, "grpc", script.OfInstance(n.health, n.instance))
	if err != nil {
		return reply{}, err
	}
	switch step {
	case "SERVING":
		return reply{}, nil
	case "NOT_SERVING":
		return reply{Reply: simscript.Reply{Kind: simscript.ReplyStatus}}, nil
	case "hang":
		return reply{Reply: simscript.Reply{Kind: simscript.ReplyHang}}, nil
	default:
		return reply{}, fmt.Errorf("the gRPC answer %q has no translation", step)
	}
}

// get asks by HTTP.
func (p *programs) get(n *program, get *corev1.HTTPGetAction) (reply, error) {
	number, ok := n.port(get.Port)
	switch {
	case get.Scheme == corev1.URISchemeHTTPS:
		return reply{}, errors.New("TLS has no translation")
	case !ok:
		return reply{}, nil // the simulator says what that means
	case number == n.grpc || n.tcp[number] != "":
		return reply{}, errors.New("an HTTP probe of a server that does not speak it has no translation")
	case p.now() < n.up || number != n.http:
		return reply{Reply: simscript.Reply{Kind: simscript.ReplyRefused}}, nil
	}
	path := "/" + strings.TrimPrefix(get.Path, "/")
	step, err := p.nextStep(n, ledger.Request, path, cmp.Or(n.answers[path], "200"))
	if err != nil {
		return reply{}, err
	}
	return answered(step)
}

// stalled is what Go's HTTP client says of a body that does not come.
const stalled = "context deadline exceeded (Client.Timeout or context cancellation while reading body)"

// answered translates a step of the player's http.go.
func answered(step string) (reply, error) {
	what, arg, _ := strings.Cut(step, ":")
	switch what {
	case "hang":
		return reply{Reply: simscript.Reply{Kind: simscript.ReplyHang}}, nil
	case "slow":
		d, err := time.ParseDuration(arg)
		return reply{after: d}, err
	case "stall": // the attempt waits for the body as long as it may
		return reply{Reply: simscript.Reply{Kind: simscript.ReplyError}, stalls: true, text: stalled}, nil
	case "short":
		return reply{Reply: simscript.Reply{Kind: simscript.ReplyError}}, nil
	}
	number, location, redirects := strings.Cut(step, "@")
	status, err := strconv.Atoi(number)
	if err != nil || redirects && !strings.HasPrefix(location, "http://another.example/") {
		return reply{}, fmt.Errorf("the HTTP answer %q has no translation", step)
	}
	r := reply{Reply: simscript.Reply{Kind: simscript.ReplyStatus, Code: status}}
	switch status {
	case http.StatusEarlyHints:
		r.Code = http.StatusOK
	case http.StatusNoContent, http.StatusNotModified: // no body
	default:
		r.text = "answer " + number
	}
	return r, nil
}

// hook runs a lifecycle hook. An HTTP hook is content with any answer (R143), and a tcpSocket hook
// never succeeds (R145).
func (p *programs) hook(n *program, h *corev1.LifecycleHandler) (answer simulate.HookAnswer, err error) {
	switch {
	case h.Sleep != nil:
		return simulate.HookAnswer{After: time.Duration(h.Sleep.Seconds) * time.Second}, nil
	case h.Exec != nil:
		d, err := parseAction(h.Exec.Command)
		if err != nil {
			return answer, err
		}
		result, err := p.do(n, d)
		answer.After = result.after
		if result.code != 0 {
			answer.Err = fmt.Errorf("exit code %d", result.code)
		}
		return answer, err
	case h.HTTPGet != nil:
		r, err := p.get(n, h.HTTPGet)
		switch answer.After = r.after; r.Kind {
		case simscript.ReplyGood, simscript.ReplyStatus:
		case simscript.ReplyRefused:
			answer.Err = errors.New("connection refused")
		default:
			return answer, errors.Join(err, errors.New("a hook that gets no answer has no translation"))
		}
		return answer, err
	default:
		answer.Err = errors.New("a tcpSocket hook cannot run")
		return answer, nil
	}
}

// port resolves a port of a container.
func (n *program) port(port intstr.IntOrString) (int, bool) {
	if port.Type == intstr.Int {
		return port.IntValue(), true
	}
	for _, p := range n.spec.Ports {
		if p.Name == port.StrVal {
			return int(p.ContainerPort), true
		}
	}
	return 0, false
}

// ending is what becomes of the program on SIGTERM, if it does not ignore it: "CODE:D".
func (n *program) ending() (time.Duration, int32, error) {
	code, after, _ := strings.Cut(n.term, ":")
	return ending(after + ":" + code)
}
