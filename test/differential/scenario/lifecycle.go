package scenario

// kills are the cases of section I, but for those of sidecars.
func kills() []Scenario {
	grace := func(seconds string) string { return "terminationGracePeriodSeconds: " + seconds + "\n" }
	const stubborn = "-term=ignore -answers=/live=200x2,500|/live=200"
	hook := func(when, handler string) string { return "lifecycle: {" + when + ": {" + handler + "}}\n" }
	do := func(name, steps string) string { return "exec: {command: [PLAYER, do, " + name + ", '" + steps + "']}" }
	polite := "-answers=/live=200x2,500|/live=200"
	all := []Scenario{
		{ID: "I01", Title: "kill: a polite process", Manifest: pod("", app("-term=0:200ms -answers=/live=200x2,500|/live=200", live(1)))},
		{ID: "I02", Title: "kill: a stubborn process and a grace of 4 s", Manifest: pod(grace("4"), app(stubborn, live(1)))},
		{ID: "I03", Title: "kill: the probe's own grace is shorter", Manifest: pod(grace("60"), app(stubborn, live(1, "terminationGracePeriodSeconds: 3")))},
		{ID: "I04", Title: "kill: the probe's own grace is longer", Manifest: pod(grace("2"), app(stubborn, live(1, "terminationGracePeriodSeconds: 5")))},
		{ID: "I06", Title: "kill: never less than 2 s, with a grace of 1 s", Manifest: pod(grace("1"), app(stubborn, live(1)))},
		{ID: "I07", Title: "kill: never less than 2 s, with a probe's grace of 1 s", Manifest: pod("", app(stubborn, live(1, "terminationGracePeriodSeconds: 1")))},
		{ID: "I08", Title: "kill: a grace of 0 skips preStop and is 2 s", Manifest: pod(grace("0"), app(stubborn, live(1)+hook("preStop", do("preStop", "0"))))},
		{ID: "I09", Title: "kill: a preStop hook that fails", Manifest: pod("", app(polite, live(1)+hook("preStop", do("preStop", "1"))))},
		{ID: "I10", Title: "kill: an HTTP preStop hook that answers 500 is fine", Manifest: pod("", app("-answers=/live=200x2,500;/stop=500|/live=200", live(1)+hook("preStop", "httpGet: {path: /stop, port: 8080}")))},
		{ID: "I11", Title: "kill: an HTTP preStop hook that is refused", Manifest: pod("", twoPorts(polite, live(1)+hook("preStop", "httpGet: {path: /stop, port: 8443}")))},
		{ID: "I12", Title: "kill: a preStop hook takes its time from the grace", Manifest: pod(grace("5"), app(stubborn, live(1)+hook("preStop", do("preStop", "sleep:1100ms"))))},
		{ID: "I13", Title: "kill: preStop sleep", Manifest: pod(grace("5"), app(polite, live(1)+hook("preStop", "sleep: {seconds: 2}")))},
		{ID: "I15", Title: "kill: a preStop hook that outlasts the grace", Manifest: pod(grace("3"), app(stubborn, live(1)+hook("preStop", do("preStop", "sleep:20s"))))},
		{ID: "I16", Title: "hooks: no probe before postStart has ended", Manifest: pod("", app("", live(1)+ready(1)+hook("postStart", do("postStart", "sleep:3s")))), Starts: 1, Length: seconds(9)},
		{ID: "I17", Title: "hooks: a postStart hook that fails", Manifest: pod("", app("", hook("postStart", do("postStart", "1|0")))), Starts: 2, Length: seconds(6)},
		{ID: "I24", Title: "hooks: a tcpSocket hook always fails", Manifest: pod("", app(polite, live(1)+hook("preStop", "tcpSocket: {port: 8080}")))},
		{ID: "I25", Title: "hooks: have no time-out of their own", Manifest: pod(grace("10"), app(polite, live(1)+hook("preStop", do("preStop", "sleep:3s"))))},
		{ID: "I14", Title: "hooks: no preStop when a process ends by itself", Manifest: pod("", app("-life=3s:1|", hook("preStop", do("preStop", "0"))))},
	}
	for i := range all {
		if all[i].Starts == 0 {
			all[i].Starts, all[i].Length = 2, seconds(5)
		}
	}
	return append(all, deletions()...)
}

// deletions are those of section I in which somebody deletes the Pod.
func deletions() []Scenario {
	return []Scenario{
		{ID: "I18", Title: "deletion: liveness stops, readiness goes on", Quick: true, Length: seconds(13),
			Manifest: pod("terminationGracePeriodSeconds: 5\n", app("-term=0:3s -answers=/ready=200", live(1)+ready(1))),
			Steps:    []Step{{At: seconds(5), Delete: "web"}}},
		{ID: "I19", Title: "deletion: a grace of 1 s gives preStop a second, and 2 s to end", Length: seconds(13),
			Manifest: pod("", app("-term=ignore", ready(1)+"lifecycle: {preStop: {exec: {command: [PLAYER, do, preStop, 'sleep:10s']}}}\n")),
			Steps:    []Step{{At: seconds(4), Delete: "web", Grace: new(int64(1))}}},
		{ID: "I20", Title: "deletion: the probe's own grace does not count", Length: seconds(13),
			Manifest: pod("terminationGracePeriodSeconds: 3\n", app("-term=ignore", live(1, "terminationGracePeriodSeconds: 20"))),
			Steps:    []Step{{At: seconds(4), Delete: "web"}}},
		{ID: "I21", Title: "deletion: a second one with a shorter grace", Decided: "the shorter grace of a second deletion counts at once; this kubelet goes on with the first one (R162)", Length: seconds(14),
			Manifest: pod("terminationGracePeriodSeconds: 60\n", app("-term=ignore", "")),
			Steps:    []Step{{At: seconds(3), Delete: "web"}, {At: seconds(6), Delete: "web", Grace: new(int64(2))}}},
		{ID: "I23", Title: "deletion: containers are stopped in parallel", Starts: 2, Length: seconds(13),
			Manifest: pod("terminationGracePeriodSeconds: 4\n", container("a", "-term=ignore", ""), containerAt("b", 8081, "-term=ignore", "")),
			Steps:    []Step{{At: seconds(4), Delete: "web"}}},
		{ID: "I26", Title: "deletion during a probe kill", Length: seconds(17), Decided: "a deletion shortens the kill that is in progress, and nothing is started again (R126)",
			Manifest: pod("terminationGracePeriodSeconds: 2\n", app("-term=ignore -answers=/live=200x2,500|/live=200", live(1, "terminationGracePeriodSeconds: 8"))),
			Steps:    []Step{{At: seconds(6), Delete: "web"}}},
		{ID: "I27", Title: "deletion during a back-off: nothing is started again", Starts: 2, Length: seconds(10),
			Manifest: pod("", app("-life=500ms:1", "")),
			Steps:    []Step{{At: seconds(3.4), Delete: "web"}}},
	}
}

// restarts are the cases of section J.
func restarts() []Scenario {
	policy := func(name string) string { return "restartPolicy: " + name + "\n" }
	return []Scenario{
		{ID: "J01", Title: "Always: an exit with 0 is restarted", Starts: 2, Length: seconds(5), Manifest: pod("", app("-life=2s:0|", ""))},
		{ID: "J02", Title: "OnFailure: an exit with 0 is the end", Length: seconds(8), Manifest: pod(policy("OnFailure"), app("-life=3s:0", ready(1)))},
		{ID: "J03", Title: "OnFailure: an exit with 1 is restarted", Starts: 2, Length: seconds(5), Manifest: pod(policy("OnFailure"), app("-life=3s:1|", ready(1)))},
		{ID: "J04", Title: "Never: a liveness failure of the only container", Length: seconds(12),
			Manifest: pod(policy("Never")+"terminationGracePeriodSeconds: 2\n", app("-term=ignore -answers=/live=200x2,500", live(2, "terminationGracePeriodSeconds: 6")))},
		{ID: "J05", Title: "Never: a liveness failure of one of two containers", Starts: 2, Length: seconds(14),
			Manifest: pod(policy("Never")+"terminationGracePeriodSeconds: 2\n", container("a", "-term=ignore -answers=/live=200x2,500", live(2, "terminationGracePeriodSeconds: 5")), containerAt("b", 8081, "", ""))},
		{ID: "J06", Title: "Never: exit code 0 is success", Quick: true, Length: seconds(7), Manifest: pod(policy("Never"), app("-life=3s:0", ready(1)))},
		{ID: "J07", Title: "Never: exit code 3 is failure", Length: seconds(7), Manifest: pod(policy("Never"), app("-life=3s:3", ready(1)))},
		{ID: "J08", Title: "back-off: a crash loop", Starts: 4, Length: seconds(2), Manifest: pod("", app("-life=1s:1", ""))},
		{ID: "J09", Title: "OnFailure: a liveness kill restarts even after an exit with 0", Starts: 2, Length: seconds(5),
			Manifest: pod(policy("OnFailure"), app("-answers=/live=200x2,500|/live=200", live(2)))},
		{ID: "J10", Title: "back-off: none for a liveness kill every few seconds if the cap is below the lifetime", Starts: 4, Length: seconds(4),
			Manifest: pod("", app("-answers=/live=200x2,500", live(3)))},
		{ID: "J14", Title: "back-off: of one container does not delay the other", Starts: 4, Length: seconds(1.5),
			Manifest: pod("", container("a", "-life=1s:1", ""), containerAt("b", 8081, "-life=3s:1|", ""))},
		{ID: "J19", Title: "a crash needs no probe to be noticed", Starts: 2, Length: seconds(5), Manifest: pod("", app("-life=3s:7|", ""))},
		{ID: "N06", Title: "Never: a failed and a finished container", Starts: 2, Length: seconds(10),
			Manifest: pod(policy("Never"), container("a", "-life=2s:1", ""), containerAt("b", 8081, "-life=6s:0", ""))},
	}
}

// status are cases of the sections K and N.
func status() []Scenario {
	return []Scenario{
		{ID: "K07", Title: "defaults: period 10 s, three failures, time-out 1 s", Period: 10, Starts: 2, Length: seconds(4),
			Manifest: pod("", app("-answers=/live=500,slow:1500ms,500|/live=200", "livenessProbe: {httpGet: {path: /live, port: 8080}}\n"))},
		{ID: "K02", Title: "defaults: zeros mean the defaults", Period: 10, Length: seconds(25),
			Manifest: pod("", app("-answers=/ready=200", "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 0, timeoutSeconds: 0, successThreshold: 0, failureThreshold: 0, initialDelaySeconds: 0}\n"))},
		{ID: "N11", Title: "init containers run before, one after the other", Length: seconds(6),
			Manifest: pod("initContainers:\n"+doing("one", "sleep:1s")+doing("two", "0"), app("", ready(1)))},
		{ID: "N12", Title: "an init container that fails is run again", Starts: 3, Length: seconds(6),
			Manifest: pod("initContainers:\n"+container("one", "-http=0 -life=1s:1|1s:0", ""), app("", ready(1)))},
	}
}
