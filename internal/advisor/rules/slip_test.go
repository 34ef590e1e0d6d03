package rules_test

import (
	"strings"
	"testing"
)

// sound is a manifest in which nothing is wrong.
const sound = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  minReadySeconds: 5
  progressDeadlineSeconds: 300
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 40
      containers:
      - name: app
        image: registry.example/web:1.0
        env: [{name: PORT, value: "8080"}]
        ports: [{name: http, containerPort: 8080}]
        resources: {limits: {cpu: 500m}}
        lifecycle: {preStop: {sleep: {seconds: 5}}}
        startupProbe:
          httpGet: {path: /livez, port: http}
          periodSeconds: 3
          failureThreshold: 40
        readinessProbe:
          httpGet: {path: /readyz, port: http}
          periodSeconds: 5
          timeoutSeconds: 2
        livenessProbe:
          httpGet: {path: /livez, port: http}
          timeoutSeconds: 5
          failureThreshold: 6
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: web, port: 80, targetPort: http}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
`

// TestOneSlip makes one slip at a time in a sound manifest: each is one finding, not two.
func TestOneSlip(t *testing.T) {
	if got := found(t, "a.yaml", []byte(sound)); len(got) > 0 {
		t.Fatalf("nothing is wrong, but found %v", got)
	}
	const (
		readiness = "httpGet: {path: /readyz, port: http}\n          periodSeconds: 5\n          timeoutSeconds: 2"
		liveness  = "httpGet: {path: /livez, port: http}\n          timeoutSeconds: 5\n          failureThreshold: 6"
		startup   = "        startupProbe:\n          httpGet: {path: /livez, port: http}\n          periodSeconds: 3\n          failureThreshold: 40\n"
	)
	for name, c := range map[string]struct{ before, after, rule string }{
		"the port's name":                   {"name: http, containerPort", "name: htpp, containerPort", "probe-named-port-missing"},
		"the Service's target":              {"targetPort: http", "targetPort: htpp", "service-target-port-missing"},
		"the target, by number":             {"targetPort: http", "targetPort: 9999", ""},
		"a probe's port":                    {"/readyz, port: http", "/readyz, port: 8008", "probe-port-undeclared"},
		"a probe's port, in quotes":         {"/readyz, port: http", "/readyz, port: '8080'", "probe-invalid"},
		"a probe's port, by name":           {"/readyz, port: http", "/readyz, port: htpp", "probe-named-port-missing"},
		"UDP":                               {"containerPort: 8080}", "containerPort: 8080, protocol: UDP}", "probe-port-not-tcp"},
		"a probe's name":                    {"readinessProbe", "readynessProbe", "probe-unknown-field"},
		"another name":                      {"readinessProbe", "readyCheck", "probe-unknown-field"},
		"a handler's name":                  {"httpGet: {path: /readyz", "httpget: {path: /readyz", "probe-unknown-field"},
		"a number's name":                   {"periodSeconds: 5", "periodSecond: 5", "probe-unknown-field"},
		"no readiness":                      {"        readinessProbe:\n          " + readiness + "\n", "", "readiness-missing"},
		"the same request":                  {liveness, "httpGet: {path: /readyz, port: http}\n          failureThreshold: 2", "liveness-equals-readiness"},
		"the same request, one failure":     {liveness, "httpGet: {path: /readyz, port: http}\n          failureThreshold: 1", "liveness-threshold-too-low"},
		"one failure":                       {"failureThreshold: 6", "failureThreshold: 1", "liveness-threshold-too-low"},
		"a long timeout":                    {"timeoutSeconds: 2", "timeoutSeconds: 6", "timeout-ge-period"},
		"a host":                            {"/readyz, port: http", "/readyz, port: http, host: web", "probe-host-set"},
		"this host":                         {"/readyz, port: http", "/readyz, port: http, host: 127.0.0.1", "probe-host-set"},
		"TCP":                               {"httpGet: {path: /readyz, port: http}", "tcpSocket: {port: http}", "shallow-tcp-check"},
		"true":                              {"httpGet: {path: /readyz, port: http}", "exec: {command: ['true']}", "probe-cannot-fail"},
		"or true":                           {"httpGet: {path: /readyz, port: http}", "exec: {command: [sh, -c, 'curl localhost || true']}", "probe-cannot-fail"},
		"or true, of another host":          {"httpGet: {path: /livez, port: http}\n          timeoutSeconds", "exec: {command: [sh, -c, 'pg_isready -h db || true']}\n          timeoutSeconds", "probe-cannot-fail"},
		"a pipe":                            {"httpGet: {path: /readyz, port: http}", "exec: {command: [sh, -c, 'curl localhost | cat']}", "exit-status-lost"},
		"curl":                              {"httpGet: {path: /readyz, port: http}", "exec: {command: [curl, localhost]}", "curl-ignores-errors"},
		"curl in sh -c":                     {"httpGet: {path: /readyz, port: http}", "exec: {command: [sh, -c, curl, localhost]}", "shell-words-lost"},
		"a line in a word":                  {"httpGet: {path: /readyz, port: http}", "exec: {command: ['curl localhost']}", "exec-without-shell"},
		"an operator":                       {"httpGet: {path: /readyz, port: http}", "exec: {command: [curl, localhost, '||', exit, '1']}", "exec-without-shell"},
		"an operator and true":              {"httpGet: {path: /readyz, port: http}", "exec: {command: [echo, ok, '||', 'true']}", "exec-without-shell"},
		"a variable":                        {"httpGet: {path: /readyz, port: http}", "exec: {command: [curl, -f, 'localhost:$PORT']}", "variable-not-expanded"},
		"a variable and a line in a word":   {"httpGet: {path: /readyz, port: http}", "exec: {command: ['curl -f localhost:$PORT']}", "exec-without-shell"},
		"a variable in curl without -f":     {"httpGet: {path: /readyz, port: http}", "exec: {command: [sh, -c, 'curl -f localhost:$(ADMIN)']}", "variable-not-expanded"},
		"a delay of readiness":              {"periodSeconds: 5", "periodSeconds: 5\n          initialDelaySeconds: 30", "readiness-delay"},
		"a delay longer than all":           {"periodSeconds: 5", "periodSeconds: 5\n          initialDelaySeconds: 200", "startup-budget-contradiction"},
		"a small limit, a short timeout":    {"cpu: 500m", "cpu: 50m", ""},
		"a delay in the place of startup":   {startup + "        readinessProbe:\n          " + readiness + "\n        livenessProbe:\n          httpGet: {path: /livez, port: http}", "        readinessProbe:\n          " + readiness + "\n        livenessProbe:\n          initialDelaySeconds: 90\n          httpGet: {path: /livez, port: http}", "initial-delay-substitute"},
		"a deadline":                        {"progressDeadlineSeconds: 300", "progressDeadlineSeconds: 100", "progress-deadline-below-startup"},
		"a deadline that is refused":        {"progressDeadlineSeconds: 300", "progressDeadlineSeconds: 5", "progress-deadline-below-startup"},
		"the sleep":                         {"seconds: 5", "seconds: 40", "prestop-ge-grace"},
		"the sleep, refused":                {"seconds: 5", "seconds: 50", "prestop-ge-grace"},
		"no grace":                          {"terminationGracePeriodSeconds: 40", "terminationGracePeriodSeconds: 1", "prestop-ge-grace"},
		"a long grace":                      {"terminationGracePeriodSeconds: 40", "terminationGracePeriodSeconds: 600", "liveness-kill-too-slow"},
		"the probe's grace":                 {"failureThreshold: 6", "failureThreshold: 6\n          terminationGracePeriodSeconds: 3", "probe-grace-below-prestop"},
		"a budget":                          {"maxUnavailable: 1", "maxUnavailable: 0", "budget-allows-no-eviction"},
		"a rollout":                         {"minReadySeconds: 5", "minReadySeconds: 5\n  strategy: {rollingUpdate: {maxUnavailable: 100%}}", "rollout-takes-all-replicas"},
		"metrics":                           {"path: /readyz", "path: /metrics", "metrics-as-health"},
		"a threshold of successes":          {"failureThreshold: 6", "failureThreshold: 6\n          successThreshold: 2", "success-threshold-invalid"},
		"a scheme":                          {"name: http, containerPort", "name: https, containerPort", "probe-named-port-missing"},
		"two handlers":                      {"httpGet: {path: /readyz, port: http}", "httpGet: {path: /readyz, port: http}\n          tcpSocket: {port: http}", "probe-invalid"},
		"an empty command":                  {"httpGet: {path: /readyz, port: http}", "exec: {command: []}", "probe-invalid"},
		"no handler":                        {"httpGet: {path: /readyz, port: http}\n          ", "", "probe-invalid"},
		"strict readiness":                  {"timeoutSeconds: 2", "timeoutSeconds: 1\n          failureThreshold: 1", "readiness-too-sensitive"},
		"a dependency in readiness":         {"httpGet: {path: /readyz, port: http}", "exec: {command: [pg_isready, -h, db]}", "readiness-checks-shared-dependency"},
		"a command that waits for too long": {"httpGet: {path: /readyz, port: http}", "exec: {command: [curl, -f, -m, '30', localhost]}", "exec-inner-timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Count(sound, c.before) < 1 {
				t.Fatalf("%q is not in the manifest", c.before)
			}
			got := found(t, "a.yaml", []byte(strings.Replace(sound, c.before, c.after, 1)))
			for i := range got {
				_, got[i], _ = strings.Cut(got[i], ": ")
			}
			if list := strings.Join(got, " "); list != c.rule {
				t.Errorf("found %q, want %q", list, c.rule)
			}
		})
	}
}
