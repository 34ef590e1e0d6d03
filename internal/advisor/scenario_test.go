package advisor_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/advisortest"
)

// TestScenarios pins when the fault of a scenario begins, and whom it is about.
func TestScenarios(t *testing.T) {
	const fast = "livenessProbe: {tcpSocket: {port: 80}}"
	const web = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n" +
		"    metadata: {labels: {app: web}}\n    spec:\n"
	const job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: once}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}\n"
	pod := func(containers ...string) string { return web + "      containers:\n" + strings.Join(containers, "") }
	container := func(name, probes string) string {
		return "      - name: " + name + "\n        image: a\n        " + strings.ReplaceAll(probes, "\n", "\n        ") + "\n"
	}
	for name, c := range map[string]struct{ text, want string }{
		"nothing to wait for": {pod(container("a", fast)), "--fault refuse@60s+31s"},
		"its own delay": {pod(container("a", "livenessProbe: {httpGet: {port: 80}, initialDelaySeconds: 180}")),
			"--fault hang@210s+31s"},
		"the delay of another container": {pod(container("a", fast), container("b", "readinessProbe: {tcpSocket: {port: 81}, initialDelaySeconds: 100}")),
			"--fault refuse@120s+31s:a"},
		"a startup probe and then a long period": {pod(container("a", "startupProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 50, periodSeconds: 60}\n"+
			"livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 300}")), "--fault refuse@420s+31s --horizon 2702s"},
		"successes that must be counted": {pod(container("a", fast+"\nreadinessProbe: {tcpSocket: {port: 80}, successThreshold: 9}")), "--fault refuse@120s+31s"},
		"a sidecar before it": {web + "      initContainers:\n" + container("s", "restartPolicy: Always\nstartupProbe: {tcpSocket: {port: 1}, initialDelaySeconds: 70}") +
			"      containers:\n" + container("a", fast), "--fault refuse@120s+31s:a"},
		"beside another workload": {pod(container("a", fast)) + "---\n" + strings.ReplaceAll(pod(container("a", fast)), "web", "api"),
			"--fault refuse@60s+31s,workload=Deployment/web"},
		"a name that a shell would run": {pod(container("$(touch a)", fast), container("b", "")), "--fault 'refuse@60s+31s:$(touch a)'"},
		"a name that nobody can copy":   {pod(container(`"a\e[2J"`, fast), container("b", "")), ""},
		"a workload that a shell would run": {strings.Replace(pod(container("a", fast)), "name: web", "name: $(touch a)", 1) + "---\n" + pod(container("a", fast)),
			"--fault 'refuse@60s+31s,workload=Deployment/$(touch a)'"},
		"beside a Job, which is not simulated": {pod(container("a", fast)) + "---\n" + job, "--fault refuse@60s+31s"},
		"of no replicas":                       {strings.Replace(pod(container("a", fast)), "spec:\n", "spec:\n  replicas: 0\n", 1), "--fault refuse@60s+31s --replicas 1"},
		"of too many replicas":                 {strings.Replace(pod(container("a", fast)), "spec:\n", "spec:\n  replicas: 1001\n", 1), "--fault refuse@60s+31s --replicas 1"},
		"of as many as can be simulated":       {strings.Replace(pod(container("a", fast)), "spec:\n", "spec:\n  replicas: 1000\n", 1), "--fault refuse@60s+31s"},
		"of too many with a Job": {strings.Replace(pod(container("a", fast)), "spec:\n", "spec:\n  replicas: 600\n", 1) + "---\n" +
			strings.Replace(job, "spec: {", "spec: {parallelism: 500, ", 1), "--fault refuse@60s+31s --replicas 1"},
		"of a Job": {strings.Replace(job, "image: a", "image: a, "+fast, 1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := advisortest.Parse("a.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range m.Workloads[0].Probes() {
				if p.Field == advisor.LivenessProbe {
					if got := p.Stall(30); got != c.want {
						t.Errorf("the scenario is %q, want %q", got, c.want)
					}
				}
			}
		})
	}
}

// TestScenarioOfRefusedFile holds a finding in a file that simulate refuses to no scenario.
func TestScenarioOfRefusedFile(t *testing.T) {
	const text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a\n" +
		"    livenessProbe: {tcpSocket: {port: 80}, failureThreshold: 1}\n"
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"sound":                                {text, true},
		"another field wrong":                  {strings.Replace(text, "image: a", "imagee: a\n    image: a", 1), false},
		"a program that cannot be started":     {strings.Replace(text, "image: a", "image: a\n    args: ["+strings.Repeat("x", 1<<17)+"]", 1), false},
		"more workloads than can be simulated": {text + workloads(1000), false},
		"another object wrong": {text + "---\napiVersion: v1\nkind: Service\nmetadata: {name: UPPER}\nspec: {ports: [{port: 80}]}\n",
			false},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := advisortest.Parse("a.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			rule := advisor.Rule{ID: "r", Severity: advisor.Risk, Check: func(w *advisor.Workload) []advisor.Finding {
				if len(w.Probes()) == 0 {
					return nil
				}
				f := w.Probes()[0].Finding("", "it is wrong")
				f.Scenario = w.Probes()[0].Stall(10)
				return []advisor.Finding{f}
			}}
			for _, f := range advisor.Check(m, []advisor.Rule{rule}) {
				if got := f.Scenario != ""; got != c.want {
					t.Errorf("the scenario is %q", f.Scenario)
				}
			}
		})
	}
}

// workloads are so many Deployments.
func workloads(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d%d}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, "+
			"spec: {containers: [{name: a, image: a}]}}}\n", i)
	}
	return b.String()
}
