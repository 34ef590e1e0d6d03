package rollout_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/rollout"
)

// foundIn is the first finding of a rule in the bad manifest of its folder; probe is the type of
// the probe that it is to be about, if it is to be about one.
func foundIn(t *testing.T, folder, rule, probe string) advisor.Finding {
	t.Helper()
	manifests, err := advisor.Read(nil, nil, "../advisor/rules/"+folder+"/testdata/bad.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range advisor.Check(manifests, rules.All()) {
		if f.Rule == rule && strings.Contains(f.Field, probe+"Probe") == (probe != "") {
			return f
		}
	}
	t.Fatalf("%s: no finding of %s about %s", folder, rule, probe)
	return advisor.Finding{}
}

// failing is a world in which a probe fails with an answer, until there is a verdict.
func failing(probe, handler, answer string) *world {
	c := app()
	p := get("/x", 8080)
	if handler == "exec" {
		p.ProbeHandler = corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"check"}}}
	}
	switch probe {
	case "startup":
		c.StartupProbe = p
	case "liveness":
		c.LivenessProbe = p
	case "readiness":
		c.ReadinessProbe = p
	}
	w := newWorld(c)
	pod := w.pod("web-new-x2x4z")
	if probe != "readiness" {
		killedBy(w, pod, probe, answer, 4, 60)
		return w
	}
	w.deployment.Spec.ProgressDeadlineSeconds = new(int32(80))
	w.at(1, func() { w.start(pod) })
	w.every(1, 2, 79, func() { w.event(pod.UID, "web", "Unhealthy", "Readiness probe failed: "+answer) })
	w.exceeds = 81 * time.Second
	return w
}

// worldOf is that of a row of the table of causes.
func worldOf(t *testing.T, name string) *world {
	t.Helper()
	i := slices.IndexFunc(rows(), func(r row) bool { return r.name == name })
	if i < 0 {
		t.Fatalf("there is no row %s", name)
	}
	return rows()[i].make()
}

// TestPredictions: what check says of a manifest is named beside the cause that it foretells, with
// the command that plays it if there is one.
func TestPredictions(t *testing.T) {
	const (
		timeout = `Get "http://10.244.0.13:8080/x": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
		down    = "HTTP probe failed with statuscode: 503"
		no      = "the command failed"
	)
	unreachable := fmt.Sprintf(refused, 8080, "/x")
	for _, test := range []struct {
		kind           rollout.Kind
		probe, handler string
		answer         string
		folder, rule   string
		simulates      bool
	}{
		{rollout.Startup, "startup", "GET", down, "startupbudget", "startup-budget-contradiction", true},
		{rollout.Startup, "startup", "GET", timeout, "timeoutperiod", "timeout-ge-period", true},
		{rollout.Startup, "startup", "GET", unreachable, "portundeclared", "probe-port-undeclared", false},
		{rollout.Startup, "startup", "exec", no, "cannotfail", "probe-cannot-fail", false},
		{rollout.Liveness, "liveness", "GET", down, "startuploop", "startup-restart-loop", true},
		{rollout.Liveness, "liveness", "GET", down, "initialdelay", "initial-delay-substitute", true},
		{rollout.Liveness, "liveness", "GET", down, "livenessthreshold", "liveness-threshold-too-low", true},
		{rollout.Liveness, "liveness", "exec", no, "livenessdependency", "liveness-checks-dependency", true},
		{rollout.Liveness, "liveness", "GET", down, "actuator", "liveness-aggregate-health", false},
		{rollout.Liveness, "liveness", "GET", down, "livenessstricter", "liveness-stricter-than-readiness", true},
		{rollout.Liveness, "liveness", "GET", down, "livenessequalsreadiness", "liveness-equals-readiness", true},
		{rollout.Liveness, "liveness", "GET", down, "metricspath", "metrics-as-health", false},
		{rollout.Liveness, "liveness", "GET", timeout, "timeoutshort", "timeout-too-short", true},
		{rollout.Liveness, "liveness", "GET", timeout, "probehost", "probe-host-set", false},
		{rollout.Liveness, "liveness", "GET", unreachable, "probehost", "probe-host-set", false},
		{rollout.Liveness, "liveness", "GET", unreachable, "portnamemissing", "probe-named-port-missing", false},
		{rollout.Liveness, "liveness", "GET", unreachable, "othercontainer", "liveness-port-of-other-container", false},
		{rollout.Liveness, "liveness", "exec", "command timed out: context deadline exceeded", "innertimeout", "exec-inner-timeout", false},
		{rollout.Liveness, "liveness", "exec", no, "execwords", "exec-without-shell", false},
		{rollout.Liveness, "liveness", "exec", no, "shellwords", "shell-words-lost", false},
		{rollout.Liveness, "liveness", "exec", no, "variable", "variable-not-expanded", false},
		{rollout.Readiness, "readiness", "exec", no, "readinessdependency", "readiness-checks-shared-dependency", true},
		{rollout.Readiness, "readiness", "GET", down, "readinesssensitive", "readiness-too-sensitive", true},
		{rollout.Readiness, "readiness", "GET", down, "readinessdelay", "readiness-delay", false},
		{rollout.Readiness, "readiness", "GET", down, "metricspath", "metrics-as-health", false},
		{rollout.Readiness, "readiness", "GET", down, "scheme", "scheme-mismatch", false},
		{rollout.Readiness, "readiness", "GET", down, "mesh", "mesh-refuses-probe", false},
		{rollout.Readiness, "readiness", "GET", timeout, "timeoutperiod", "timeout-ge-period", true},
		{rollout.Readiness, "readiness", "exec", "command timed out: context deadline exceeded", "execcost", "exec-probe-costly", false},
		{rollout.Readiness, "readiness", "GET", unreachable, "portudp", "probe-port-not-tcp", false},
		{rollout.Readiness, "readiness", "GET", unreachable, "readinessport", "readiness-port-not-served", false},
		{kind: rollout.StuckSet, answer: "stuck StatefulSet", probe: "readiness", folder: "orderedready", rule: "ordered-ready-deadlock"},
		{kind: rollout.Deadline, answer: "no progress and nothing seen", folder: "progressdeadline", rule: "progress-deadline-below-startup"},
		{kind: rollout.Endpoints, answer: "up, and nobody behind a Service", folder: "targetport", rule: "service-target-port-missing"},
		{kind: rollout.Crash, answer: "crash", probe: "liveness", folder: "exitstatus", rule: "exit-status-lost"},
	} {
		t.Run(fmt.Sprintf("%s %s", test.kind, test.rule), func(t *testing.T) {
			f := foundIn(t, test.folder, test.rule, test.probe)
			if f.Object.Kind != "Service" {
				f.Object.Name = "web"
			}
			if f.Container != "" {
				f.Container = "web"
			}
			var w *world
			if test.handler == "" {
				w = worldOf(t, test.answer)
				f.Object.Name = w.facts.Workload.GetName()
			} else {
				w = failing(test.probe, test.handler, test.answer)
			}
			w.facts.Findings = []advisor.Finding{f}
			_, r := w.play(1000)
			if r.Verdict == nil {
				t.Fatal("there is no verdict")
			}
			cause := r.Verdict.Cause
			if test.kind == rollout.Endpoints {
				cause = r.Verdict.Warnings[0]
			}
			if cause.Kind != test.kind || len(cause.Predicted) != 1 || cause.Predicted[0].Rule != test.rule {
				t.Fatalf("%s was foretold by %+v", cause.Kind, cause.Predicted)
			}
			want := ""
			if test.simulates {
				want = "probity simulate ../advisor/rules/" + test.folder + "/testdata/bad.yaml --fault "
			}
			if cause.See != f.Simulation() || !strings.HasPrefix(cause.See, want) || (cause.See != "") != test.simulates {
				t.Errorf("the command is %q, want %q", cause.See, want)
			}
		})
	}
}
