package simulate

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// R47, R76, R95: what cannot be evaluated counts for nothing, in one of two wordings; to gRPC it is
// a failure.
func TestHandler(t *testing.T) {
	web := &corev1.Container{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}
	http := func(port intstr.IntOrString) *corev1.Probe {
		return &corev1.Probe{TimeoutSeconds: 1, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: port, Scheme: "HTTP"}}}
	}
	exec := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/no"}}}}
	grpc := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 9}}}
	for _, c := range []struct {
		probe   *corev1.Probe
		reply   script.Reply
		outcome lifecycle.ProbeOutcome
		text    string
	}{
		{http(intstr.FromString("http")), script.Reply{}, lifecycle.OutcomeSuccess, ""},
		{http(intstr.FromString("8081")), script.Reply{Kind: script.ReplyRefused}, lifecycle.OutcomeFailure, "127.0.0.1:8081: connect: connection refused"},
		{http(intstr.FromString("nope")), script.Reply{}, lifecycle.OutcomeErrorUnknown, `strconv.Atoi: parsing "nope": invalid syntax`},
		{http(intstr.FromInt32(8080)), script.Reply{Kind: script.ReplyError}, lifecycle.OutcomeErrorFailure, "unexpected EOF"},
		{exec, script.Reply{Kind: script.ReplyError}, lifecycle.OutcomeErrorUnknown, "cannot start"},
		{grpc, script.Reply{Kind: script.ReplyError}, lifecycle.OutcomeFailure, "health rpc probe failed"},
	} {
		if outcome, text := NewHandler(web, c.probe).Outcome(c.reply); outcome != c.outcome || !strings.Contains(text, c.text) {
			t.Errorf("%+v: %v %q, want %v %q", c.reply, outcome, text, c.outcome, c.text)
		}
	}
}

// E06: a port that nobody declared never kills and never makes ready, and skipping over successes
// does not pass over it.
func TestPortThatNobodyDeclared(t *testing.T) {
	text := simulatetest.PodWith("livenessProbe: {tcpSocket: {port: nope}, periodSeconds: 1, failureThreshold: 1}\nreadinessProbe: {httpGet: {port: nope}, periodSeconds: 1}")
	r := simulated(t, text, &script.Script{}, Options{Horizon: time.Minute})
	if r.Summary.Restarts != 0 || r.Summary.AllReady != nil {
		t.Errorf("%d restarts, ready %v, want none and never", r.Summary.Restarts, r.Summary.AllReady)
	}
	if got := r.Summary.Loops[0].Verdict; got != LoopSafe {
		t.Errorf("the restart loop is %s, want %s", got, LoopSafe)
	}
	errors := 0
	for _, e := range r.Timeline.Entries() {
		if e.Probe != nil && e.Probe.Outcome == "error" {
			errors++
		}
	}
	if errors < 2*55*3 { // two probes, a second apart, tried three times each (R26)
		t.Errorf("%d attempts were errors", errors)
	}
}
