//go:build drill

package drill

import "time"

// defect is a mistake in a service or in its manifest.
type defect struct {
	name string
	// args are those of the service, patch are pieces of its manifest and what takes their places.
	args, patch []string
	// fault is the one that shows it; the requests are sent meanwhile.
	fault    string
	requests []string
	// rules are those of which one has to fail.
	rules []string
	// says is in the verdict's text, and advice is the rule of check that it names; "" for any.
	says, advice string
}

const store = "POST /store"

// defects are all of them.
func defects() []defect {
	return []defect{
		{
			name: "liveness asks what readiness asks", args: []string{"-live", "ready"},
			fault: "dependency-outage:db", requests: []string{store}, rules: []string{"V2"},
		},
		{
			name: "readiness asks what liveness asks", args: []string{"-ready", "always"},
			fault: "dependency-outage:db", requests: []string{store}, rules: []string{"V3"},
		},
		{
			name: "the start has 2 s and takes 4", args: []string{"-start", "4s"}, patch: []string{"failureThreshold: 20", "failureThreshold: 2"},
			fault: "slow-start=2x", rules: []string{"V2", "baseline"},
		},
		{
			name: "the timeout is 1 s, under load it takes 1.3", args: []string{"-live", "slow"},
			fault: "overload=10x", rules: []string{"V2"},
		},
		{
			name: "one failure is enough, and it stalls for 2 s", patch: []string{"periodSeconds: 2\n          failureThreshold: 3", "periodSeconds: 2\n          failureThreshold: 1"},
			fault: "hang+2500ms", rules: []string{"V2"},
		},
		{
			name: "readiness is a TCP connect", patch: []string{"httpGet: {path: /readyz, port: http}", "tcpSocket: {port: http}"},
			fault: "hang", rules: []string{"V3"},
		},
		{
			name: "the grace period is 600 s", patch: []string{"\n          terminationGracePeriodSeconds: 2", "", "terminationGracePeriodSeconds: 6", "terminationGracePeriodSeconds: 600"},
			fault: "hang", rules: []string{"V1"},
		},
		{name: "it stops listening at once", args: []string{"-term", "close"}, fault: "stop", rules: []string{"V7"}},
		{name: "it exits at once on SIGTERM", args: []string{"-term", "exit", "-work", "100ms"}, fault: "stop", rules: []string{"V7"}},
		{name: "the heartbeat comes from a timer", args: []string{"-live", "timer"}, fault: "deadlock", rules: []string{"V1"}},
		{
			name: "it never reconnects", args: []string{"-connect", "once"},
			fault: "dependency-outage:db+4s", requests: []string{store}, rules: []string{"V5"},
		},
		{
			name: "a breaker opens for good", args: []string{"-ready", "latched"},
			fault: "dependency-outage:db+3s", requests: []string{store}, rules: []string{"V5"},
		},
		{name: "it is ready before it is warm", args: []string{"-warm", "3s"}, fault: "crash", rules: []string{"V5"}},
		{
			name: "it exits without its database", args: []string{"-connect", "must"},
			fault: "dependency-outage:db@start", requests: []string{store}, rules: []string{"V8"},
		},
		{
			name: "the check has a connection of its own", args: []string{"-ready", "own"},
			fault: "dependency-outage:db=slow:1500ms", requests: []string{store}, rules: []string{"V3", "V4"},
		},
		{
			name: "the checker dies", args: []string{"-ready", "stale"},
			fault: "dependency-outage:db", requests: []string{store}, rules: []string{"V3"},
		},
		{
			name: "liveness waits with the requests", args: []string{"-live", "slot", "-slots", "2", "-work", "60ms"},
			fault: "overload=10x", rules: []string{"V2"},
		},
		{
			name:  "liveness does not see that descriptors leak",
			patch: []string{"httpGet: {path: /livez, port: http}", "exec: {command: [test, -e, /]}"},
			fault: "fds", rules: []string{"V1"},
		},
		{
			name: "nothing watches the second container", patch: beside(unprobed),
			fault: "hang", rules: []string{"V1"}, says: "container beside has no liveness probe",
		},
		{
			name: "the probe of the first container watches the second", patch: append(beside(unprobed), "httpGet: {path: /livez, port: http}", "httpGet: {path: /livez, port: 8081}"),
			fault: "hang,container=beside", rules: []string{"V1"}, says: "restarted was service instead", advice: "liveness-port-of-other-container",
		},
	}
}

// beside is a patch that adds a second container; PROBES stands for its probes.
func beside(probes string) []string {
	const last = "\n          terminationGracePeriodSeconds: 2\n"
	return []string{last, last + "      - name: beside\n        image: service\n        ports: [{name: beside, containerPort: 8081}]\n" + probes}
}

const (
	probed   = "        livenessProbe: {httpGet: {path: /livez, port: 8081}, periodSeconds: 2, failureThreshold: 3, terminationGracePeriodSeconds: 2}\n"
	unprobed = ""
)

// soundFaults are what a service without mistakes survives.
func soundFaults() []string {
	return []string{
		"hang", "hang+2500ms", "crash", "stop", "deadlock", "fds", "overload=10x", "slow-start=2x",
		"dependency-outage:db", "dependency-outage:db+4s", "dependency-outage:db=slow:300ms", "dependency-outage:db@start",
		"dependency-outage:db=dead", "gc-stall=2500ms/1h", "pool:db",
	}
}

// patience is for a drill of one fault.
const patience = 3 * time.Minute
