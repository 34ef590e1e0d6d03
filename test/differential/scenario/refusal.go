package scenario

import "fmt"

// Refusal is a manifest that a system has to refuse, or to accept, before anything is started.
type Refusal struct {
	// ID is that of the conformance case; a letter may follow.
	ID string
	// Title says what is odd about it.
	Title string
	// Manifest is YAML of one object.
	Manifest string
}

// Refusals are the cases of the sections L and M.
func Refusals() []Refusal {
	live := func(text string) string { return onePod("    livenessProbe: {" + text + "}\n") }
	readiness := func(text string) string { return onePod("    readinessProbe: {" + text + "}\n") }
	return append(workloadRefusals(), []Refusal{
		{"L01", "a probe without a handler", live("")},
		{"L01b", "a probe with numbers only", live("periodSeconds: 3")},
		{"L02", "two handlers", live("exec: {command: [a]}, httpGet: {port: 80}")},
		{"L03", "three handlers", live("httpGet: {port: 80}, tcpSocket: {port: 80}, grpc: {port: 80}")},
		{"L04", "exec without a command", live("exec: {}")},
		{"L05", "httpGet without a port", live("httpGet: {path: /}")},
		{"L06", "a port out of range", live("tcpSocket: {port: 65536}")},
		{"L06b", "a negative port", live("httpGet: {port: -1}")},
		{"L07", "a port in quotes", live(`httpGet: {port: "8080"}`)},
		{"L09", "a port name in capital letters", live("httpGet: {port: WEB}")},
		{"L10", "a port name with two hyphens", live("httpGet: {port: a--b}")},
		{"L10b", "a port name that begins with a hyphen", live("httpGet: {port: -a}")},
		{"L11", "a port name of 16 characters", live("httpGet: {port: abcdefghijklmnop}")},
		{"L12", "gRPC without a port", live("grpc: {service: a}")},
		{"L14", "a scheme in lower case", live("httpGet: {port: 80, scheme: http}")},
		{"L15", "a header name with an underscore", live("httpGet: {port: 80, httpHeaders: [{name: X_Y, value: a}]}")},
		{"L15b", "a header without a name", live("httpGet: {port: 80, httpHeaders: [{value: a}]}")},
		{"L16", "negative numbers", live("tcpSocket: {port: 80}, periodSeconds: -1, timeoutSeconds: -1, initialDelaySeconds: -1, failureThreshold: -1")},
		{"L16b", "a negative successThreshold", readiness("tcpSocket: {port: 80}, successThreshold: -1")},
		{"L17", "liveness with a successThreshold of 2", live("tcpSocket: {port: 80}, successThreshold: 2")},
		{"L18", "startup with a successThreshold of 2", onePod("    startupProbe: {tcpSocket: {port: 80}, successThreshold: 2}\n")},
		{"L19", "liveness with a negative successThreshold", live("tcpSocket: {port: 80}, successThreshold: -1")},
		{"L20", "a probe's grace of 0", live("tcpSocket: {port: 80}, terminationGracePeriodSeconds: 0")},
		{"L21", "a grace of a readiness probe", readiness("tcpSocket: {port: 80}, terminationGracePeriodSeconds: 10")},
		{"L24", "a hook without a handler", onePod("    lifecycle: {preStop: {}}\n")},
		{"L24b", "a sleep longer than the grace", onePod("    lifecycle: {preStop: {sleep: {seconds: 31}}}\n")},
		{"L26", "an unknown restartPolicy", onePod("  restartPolicy: Sometimes\n")},
		{"L27", "a container's name twice", onePod("  - {name: a, image: i}\n")},
		{"L27b", "a port's name twice", onePod("    ports: [{name: p, containerPort: 80}, {name: p, containerPort: 81}]\n")},
		{"L28", "a port without a number", onePod("    ports: [{name: p}]\n")},
		{"L29", "a readiness gate that is no name", onePod("  readinessGates: [{conditionType: bad gate}]\n")},
		{"L30", "several errors at once", live("httpGet: {}, periodSeconds: -1, successThreshold: 2")},
		{"M01", "a time-out longer than the period", live("tcpSocket: {port: 80}, timeoutSeconds: 9, periodSeconds: 1, failureThreshold: 2147483647")},
		{"M02", "readiness with a successThreshold of 5", readiness("tcpSocket: {port: 80}, successThreshold: 5")},
		{"M04", "a probe's grace that is longer than the Pod's", live("tcpSocket: {port: 80}, terminationGracePeriodSeconds: 100")},
		{"M06", "headers without a value, and twice", live("httpGet: {port: 80, httpHeaders: [{name: A, value: ''}, {name: A, value: b}]}")},
		{"M07", "tcpSocket as a hook", onePod("    lifecycle: {preStop: {tcpSocket: {port: 80}}}\n")},
		{"M08", "a grace of 0", onePod("  terminationGracePeriodSeconds: 0\n")},
		{"M09", "exec with empty words", live("exec: {command: [sh, -c, '', '']}")},
	}...)
}

// onePod is a Pod with one container a, and what more says, indented as it stands.
func onePod(more string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: a\n    image: i\n" + more
}

// workloadRefusals are those about init containers and Deployments.
func workloadRefusals() []Refusal {
	rollout := func(spec, podSpec string) string {
		return fmt.Sprintf("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {a: b}}\n%s"+
			"  template:\n    metadata: {labels: {a: b}}\n    spec:\n      containers: [{name: a, image: i}]\n%s", spec, podSpec)
	}
	strategy := func(text string) string { return rollout("  strategy: {"+text+"}\n", "") }
	return []Refusal{
		{"L25", "a probe of a plain init container", onePod("  initContainers: [{name: i, image: i, livenessProbe: {tcpSocket: {port: 80}}}]\n")},
		{"L31", "a rollout that may neither add nor take away", strategy("rollingUpdate: {maxSurge: 0, maxUnavailable: 0}")},
		{"L31b", "the same in per cent", strategy("rollingUpdate: {maxSurge: 0%, maxUnavailable: 0%}")},
		{"L32", "more than all unavailable", strategy("rollingUpdate: {maxUnavailable: 110%}")},
		{"L34", "Recreate with rollingUpdate", strategy("type: Recreate, rollingUpdate: {maxSurge: 1}")},
		{"L35", "a deadline before a Pod can be available", rollout("  minReadySeconds: 10\n  progressDeadlineSeconds: 10\n", "")},
		{"L36", "a Deployment with restartPolicy Never", rollout("", "      restartPolicy: Never\n")},
		{"M11", "all probes on a sidecar", onePod("  initContainers: [{name: i, image: i, restartPolicy: Always, livenessProbe: {tcpSocket: {port: 80}}, " +
			"readinessProbe: {tcpSocket: {port: 80}}, startupProbe: {tcpSocket: {port: 80}}}]\n")},
	}
}
