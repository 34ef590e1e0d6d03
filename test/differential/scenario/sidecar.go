package scenario

import (
	"fmt"
	"strings"
)

// doing is an init container that does a step of the player and ends.
func doing(name, step string) string {
	return fmt.Sprintf("  - name: %s\n    command: [PLAYER, do, -name=%s, %s, '%s']\n", name, name, name, step)
}

// sidecar is an init container that is restarted always; its player serves at 9000 and upwards.
func sidecar(name string, port int, args, fields string) string {
	return containerAt(name, port, args, "restartPolicy: Always\n"+fields)
}

func at(port int, path string) string {
	return fmt.Sprintf("httpGet: {path: %s, port: %d}", path, port)
}

// sidecars are the cases of section S, and those of section I about sidecars.
func sidecars() []Scenario {
	with := func(inits ...string) string {
		return "initContainers:\n" + strings.Join(inits, "")
	}
	probed := func(kind, path string, failures int) string { return probe(kind, at(9000, path), failures, nil) }
	return []Scenario{
		{ID: "S01", Title: "sidecar: a liveness failure restarts it alone", Starts: 3, Length: seconds(5),
			Manifest: pod(with(sidecar("s", 9000, "-answers=/live=200x4,500|/live=200", probed("livenessProbe", "/live", 2))), app("", ready(1)))},
		{ID: "S02", Title: "sidecar: a startup failure restarts it, and everything waits", Starts: 3, Length: seconds(5),
			Manifest: pod(with(sidecar("s", 9000, "-answers=/start=500|/start=200", probed("startupProbe", "/start", 2))), app("", ready(1)))},
		{ID: "S03", Title: "sidecar: the next one starts when it is started, not when it is ready", Starts: 2, Length: seconds(8),
			Manifest: pod(with(sidecar("s", 9000, "-answers=/start=500x3,200;/ready=503x9,200", probed("startupProbe", "/start", 30)+probed("readinessProbe", "/ready", 1)), doing("prepare", "0")), app("", ""))},
		{ID: "S04", Title: "sidecar: one that is not ready makes the Pod unready", Starts: 2, Length: seconds(9),
			Manifest: pod(with(sidecar("s", 9000, "-answers=/ready=200x4,503", probed("readinessProbe", "/ready", 1))), app("", ready(1)))},
		{ID: "S06", Title: "sidecar: is restarted after an exit with 0 under Never", Starts: 3, Length: seconds(6),
			Manifest: pod("restartPolicy: Never\n"+with(sidecar("s", 9000, "-life=3s:0|", "")), app("", ready(1)))},
		{ID: "S07", Title: "sidecar: ends when the last container has ended under Never", Starts: 2, Length: seconds(9),
			Manifest: pod("restartPolicy: Never\n"+with(sidecar("s", 9000, "", "")), app("-life=4s:0", ready(1)))},
		{ID: "S08", Title: "sidecar: its crash loop", Starts: 4, Length: seconds(3),
			Manifest: pod(with(sidecar("s", 9000, "-life=2s:1", "")), app("", ready(1)))},
		{ID: "I22", Title: "deletion: the container first, then sidecars, the last one first", Starts: 3, Length: seconds(14),
			Manifest: pod("terminationGracePeriodSeconds: 20\n"+with(sidecar("s1", 9000, "-term=0:1500ms", ""), sidecar("s2", 9001, "-term=0:1500ms", "")), app("-term=0:1500ms", "")),
			Steps:    []Step{{At: seconds(5), Delete: "web"}}},
		{ID: "I28", Title: "deletion: sidecars share the grace that is left", Starts: 2, Length: seconds(13),
			Manifest: pod("terminationGracePeriodSeconds: 4\n"+with(sidecar("s", 9000, "-term=ignore", "")), app("-term=0:2s", "")),
			Steps:    []Step{{At: seconds(5), Delete: "web"}}},
	}
}
