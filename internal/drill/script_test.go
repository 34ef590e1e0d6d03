package drill

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/simulate/script"
)

// scripted reads a script with one fault.
func scripted(t *testing.T, fault string) ([]Fault, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "faults: [{%s}]\n", fault), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := script.Load(file, nil)
	if err != nil {
		t.Fatalf("%s: %v", fault, err)
	}
	return ScriptedFaults(s)
}

// TestScriptedFaults has every kind of a script's faults be a word of a drill, or be refused by its
// name.
func TestScriptedFaults(t *testing.T) {
	tested := map[script.FaultKind]bool{}
	kind := func(fault string) {
		name, _, _ := strings.Cut(strings.TrimPrefix(fault, "fault: "), ",")
		tested[script.FaultKind(name)] = true
	}
	for fault, want := range map[string]string{
		"fault: hang":                   "hang",
		"fault: hang, at: 60s, for: 8s": "hang+8s",
		"fault: exit, code: 1":          "crash",
		"fault: hang, container: web":   "hang,container=web",
		"fault: dependency-outage, name: db, outlastsRestart: true":          "dependency-outage:db",
		"fault: hang, workload: web":                                         "hang,workload=web",
		"fault: hang, every: 1h, for: 8s":                                    "gc-stall=8s/1h",
		"fault: exit":                                                        "crash",
		"fault: exit, code: 137":                                             "crash=137",
		"fault: exit, code: 143":                                             "crash=143",
		"fault: rollout, at: 5m":                                             "rollout",
		"fault: throttle":                                                    "throttle",
		"fault: throttle, share: 0.2, for: 5s":                               "throttle=20%+5s",
		"fault: fds, at: 60s":                                                "fds",
		"fault: status, probes: [liveness]":                                  "deadlock",
		"fault: dependency-outage, name: db":                                 "dependency-outage:db",
		"fault: dependency-outage, name: db, at: 0s, for: 15s":               "dependency-outage:db@start+15s",
		"fault: dependency-outage, name: db, at: 60s, for: 20s, reply: hang": "dependency-outage:db=hang+20s",
		"fault: dependency-outage, name: 'dependency-outage:db=hang@60s'":    "dependency-outage:db",
		"fault: dependency-outage, name: 'dns@60s'":                          "dependency-outage:dns",
		"fault: dependency-slow, name: db, latency: 300ms, at: 60s, for: 5s": "dependency-outage:db=slow:300ms+5s",
	} {
		kind(fault)
		if all, err := scripted(t, fault); err != nil || len(all) != 1 || all[0].Word != want {
			t.Errorf("%s: %+v, %v, want %s", fault, all, err, want)
		}
	}
	for fault, want := range map[string]string{
		"fault: exit, code: 147":                                      "which ends no process",
		"fault: dependency-outage":                                    "cannot inject the fault dependency-outage of the script: it does not say which dependency",
		"fault: exit, code: 3":                                        "only the program itself can exit with code 3",
		"fault: hang, probes: [liveness]":                             "cannot inject the fault hang of the script: only a simulation can choose who notices it",
		"fault: hang, path: /livez":                                   "without path, it can be injected",
		"fault: hang, replicas: [0]":                                  "only a simulation can choose replicas",
		"fault: hang, outlastsRestart: true":                          "only a simulation can have it go on in the next process",
		"fault: status, probes: [liveness], path: /livez":             "without path",
		"fault: dependency-outage, name: db, probes: [liveness]":      "without probes, it can be injected",
		"fault: dependency-outage, name: db, container: web":          "happens to no container alone",
		"fault: dependency-slow, name: db, latency: 300ms, ramp: 30s": "only a simulation can have it grow",
		"fault: throttle, every: 1h":                                  "does not wait for what comes again and again",
		"fault: hang, every: 1h":                                      "need for",
		"fault: fds, for: 20s":                                        "until the restart that cures it",
		"fault: status, reply: 503":                                   "cannot inject the fault status of the script: only a simulation can",
		"fault: error":                                                "cannot inject the fault error of the script: only a simulation can",
		"fault: slow, latency: 1s, name: calm":                        "cannot inject the fault calm of the script: only a simulation can",
		"fault: refuse":                                               "as a port is closed by the program",
		"fault: kubelet-restart":                                      "the kubelet of a drill is the drill itself",
		"fault: throttle, share: 0.001":                               "no share from 1% to 100%",
		"fault: hang, for: 2h":                                        "no length up to 1h",
	} {
		kind(fault)
		if all, err := scripted(t, fault); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v, want an error with %q", fault, all, err, want)
		}
	}
	for _, k := range script.FaultKinds() {
		if !tested[k] {
			t.Errorf("what becomes of a %s of a script is not tested", k)
		}
	}
}
