package advice

import (
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/advisortest"
	"github.com/probity-run/probity/internal/drill"
)

// manifest has a Deployment with these probes and annotations.
const manifest = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 600
      containers:
      - name: web
        image: web:1
        ports: [{name: http, containerPort: 8080}]
        PROBES
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
`

const (
	startup   = "startupProbe: {httpGet: {path: /startupz, port: http}, periodSeconds: 1, failureThreshold: 2}\n        "
	readiness = "readinessProbe: {httpGet: {path: /readyz, port: http}}\n        "
	liveness  = "livenessProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 2, failureThreshold: 3}"
)

func TestAdvice(t *testing.T) {
	for name, c := range map[string]struct {
		probes, fault string
		verdict       drill.Verdict
		rule          string // of check
		line          int
		text, patch   string // parts
	}{
		"nothing restarts it": {
			readiness, "hang", drill.Verdict{Rule: "V1", Word: "missed", Probe: "Liveness"},
			"", 12, "Add a liveness probe", "",
		},
		"it does not come up": {
			startup + readiness + liveness, "baseline", drill.Verdict{Rule: "V2", Word: "never ready"},
			"", 12, "what it connects to has to be there", "",
		},
		"the command does not ask the service": {
			"livenessProbe: {exec: {command: [test, -e, /]}}", "fds", drill.Verdict{Rule: "V1", Word: "missed", Probe: "Liveness"},
			"", 15, "Let it ask the service itself", "",
		},
		"the command cannot fail": {
			`livenessProbe: {exec: {command: [sh, -c, "pgrep web || true"]}}`, "hang", drill.Verdict{Rule: "V1", Word: "missed", Probe: "Liveness"},
			"probe-cannot-fail", 15, "Let it ask the service itself", "",
		},
		"a heartbeat of a timer": {
			startup + readiness + liveness, "deadlock", drill.Verdict{Rule: "V1", Word: "missed", Probe: "Liveness"},
			"", 17, "not a timer beside it", "",
		},
		"a grace period that it cannot use": {
			startup + readiness + liveness, "hang", drill.Verdict{Rule: "V1", Word: "late"},
			"liveness-kill-too-slow", 17, "a short grace period of its own", "+        livenessProbe: {terminationGracePeriodSeconds: 7,",
		},
		"liveness asks what readiness asks": {
			readiness + strings.ReplaceAll(liveness, "livez", "readyz"), "dependency-outage:db", drill.Verdict{Rule: "V2", Word: "false restart", Probe: "Liveness"},
			"liveness-equals-readiness", 16, "fails with db, which a restart does not mend", "",
		},
		"it ends without its database": {
			startup + readiness + liveness, "dependency-outage:db", drill.Verdict{Rule: "V2", Word: "false restart"},
			"", 12, "Let it go on, answer its probes", "",
		},
		"the start is longer than its budget": {
			startup + readiness + liveness, "slow-start=2x", drill.Verdict{Rule: "V2", Word: "restart loop", Probe: "Startup"},
			"", 15, "twice the longest start", "+        startupProbe: {httpGet: {path: /startupz, port: http}, periodSeconds: 1, failureThreshold: 9}",
		},
		"a stall is no hang": {
			startup + readiness + strings.ReplaceAll(liveness, "failureThreshold: 3", "failureThreshold: 1"), "hang+4s", drill.Verdict{Rule: "V2", Word: "false restart", Probe: "Liveness"},
			"liveness-threshold-too-low", 17, "A stall that passes", "+        livenessProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 2, failureThreshold: 3}",
		},
		"a stall that check has no rule for": {
			startup + readiness + liveness, "hang+8s", drill.Verdict{Rule: "V2", Word: "false restart", Probe: "Liveness"},
			"", 17, "A stall that passes", "+        livenessProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 2, failureThreshold: 5}",
		},
		"load": {
			startup + readiness + liveness, "overload=10x", drill.Verdict{Rule: "V2", Word: "restart loop", Probe: "Liveness"},
			"", 17, "beside the queue of requests", "",
		},
		"readiness is a connect": {
			"readinessProbe: {tcpSocket: {port: http}}", "hang", drill.Verdict{Rule: "V3", Word: "green while failing", Probe: "Readiness"},
			"shallow-tcp-check", 15, "succeeds while requests fail", "",
		},
		"no readiness": {
			liveness, "hang", drill.Verdict{Rule: "V3", Word: "green while failing", Probe: "Readiness"},
			"readiness-missing", 12, "Add a readiness probe", "",
		},
		"red while working":  {startup + readiness + liveness, "dependency-outage:db", drill.Verdict{Rule: "V4", Word: "red while working", Probe: "Liveness"}, "", 17, "by another way", ""},
		"stuck":              {startup + readiness + liveness, "dependency-outage:db+4s", drill.Verdict{Rule: "V5", Word: "stuck", Probe: "Readiness"}, "", 16, "Open connections again", ""},
		"fleet emptied":      {startup + readiness + liveness, "dependency-outage:db", drill.Verdict{Rule: "V6", Grade: drill.GradeWarning, Word: "fleet emptied", Probe: "Readiness"}, "", 16, "probity.run/dependency.db: owned", ""},
		"lost at a stop":     {startup + readiness + liveness, "stop", drill.Verdict{Rule: "V7", Word: "lost 4 of 60"}, "", 12, "Endpoints are late", ""},
		"lost at a crash":    {startup + readiness + liveness, "crash", drill.Verdict{Rule: "V7", Word: "lost 4 of 60"}, "", 12, "More was lost than what was in flight", ""},
		"crash loop":         {startup + readiness + liveness, "dependency-outage:db@start", drill.Verdict{Rule: "V8", Word: "crash loop"}, "", 12, "try again until it is there", ""},
		"killed in rotation": {startup + readiness + liveness, "deadlock", drill.Verdict{Rule: "V9", Grade: drill.GradeWarning, Word: "killed in rotation", Probe: "Readiness"}, "liveness-stricter-than-readiness", 17, "and sooner", "failureThreshold: 21"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := advisortest.Parse("app.yaml", []byte(strings.Replace(manifest, "PROBES", c.probes, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if c.verdict.Grade == "" {
				c.verdict.Grade = drill.GradeFail
			}
			r := &drill.Report{
				Workloads: []drill.Workload{{Name: "deployment/web", Container: "web", Start: drill.Offset(4 * time.Second)}},
				Results:   []*drill.Result{{Fault: c.fault, Workload: "deployment/web", Dependency: "db", Verdicts: []drill.Verdict{c.verdict, {Rule: "V3", Grade: drill.GradePass}}}},
			}
			addAll(r, m)
			got := r.Results[0].Verdicts[0].Advice
			if got == nil {
				t.Fatal("no advice")
			}
			if got.Rule != c.rule || got.File != "app.yaml" || got.Line != c.line || !strings.Contains(got.Text, c.text) {
				t.Errorf("%q at %s:%d: %q\nwant %q at line %d and %q", got.Rule, got.File, got.Line, got.Text, c.rule, c.line, c.text)
			}
			if !strings.Contains(got.Patch, c.patch) || c.patch == "" && c.rule == "" && got.Patch != "" {
				t.Errorf("patch\n%s\nwant %q", got.Patch, c.patch)
			}
			if a := r.Results[0].Verdicts[1].Advice; a != nil {
				t.Errorf("advice about what passed: %q", a.Text)
			}
		})
	}
}

// TestNoManifest: what is not in the manifests, standard input for example, gets advice without a
// place.
func TestNoManifest(t *testing.T) {
	m, err := advisortest.Parse("other.yaml", []byte(strings.NewReplacer("name: web}", "name: other}", "PROBES", "").Replace(manifest)))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range []string{"V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9"} {
		r := &drill.Report{Results: []*drill.Result{{Fault: "hang", Workload: "deployment/web", Verdicts: []drill.Verdict{{Rule: rule, Grade: drill.GradeFail, Word: "missed"}}}}}
		addAll(r, m)
		if a := r.Results[0].Verdicts[0].Advice; a == nil || a.Text == "" || a.File != "" || a.Patch != "" {
			t.Errorf("%s: %+v, want a text alone", rule, a)
		}
	}
}

func addAll(r *drill.Report, m *advisor.Manifests) {
	add := For(m)
	for _, result := range r.Results {
		add(r, result)
	}
}

// TestWrongContainer: what is said of a container that only another one's probe watches.
func TestWrongContainer(t *testing.T) {
	const pod = `
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: web
    image: a
    ports: [{containerPort: 8080}]
    livenessProbe: {httpGet: {path: /livez, port: 8081}}
  - {name: proxy, image: a, ports: [{containerPort: 8081}]}
  - {name: log, image: a, ports: [{containerPort: 8082}]}
`
	m, err := advisortest.Parse("app.yaml", []byte(pod))
	if err != nil {
		t.Fatal(err)
	}
	for container, want := range map[string]string{"proxy": "liveness-port-of-other-container", "log": ""} {
		r := &drill.Report{
			Workloads: []drill.Workload{{Name: "pod/web", Container: "web"}},
			Results: []*drill.Result{{
				Fault: "hang,container=" + container, Workload: "pod/web", Container: container,
				Verdicts: []drill.Verdict{{Rule: "V1", Grade: drill.GradeFail, Word: "missed", Probe: "Liveness"}},
			}},
		}
		addAll(r, m)
		if a := r.Results[0].Verdicts[0].Advice; a == nil || a.Rule != want || !strings.Contains(a.Text, "Add a liveness probe") {
			t.Errorf("%s: %+v, want the rule %q", container, a, want)
		}
	}
}
