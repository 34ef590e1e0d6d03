package scenario

// restartRules are the cases of section T: what a container's own restart policy and its rules do
// (R125, R223–R226), which a kubelet has by default since 1.35 and 1.36.
func restartRules() []Scenario {
	rule := func(action, code string) string {
		return "restartPolicy: Never\nrestartPolicyRules: [{action: " + action + ", exitCodes: {operator: In, values: [" + code + "]}}]\n"
	}
	all, again := rule("RestartAllContainers", "88"), rule("Restart", "42")
	preStop := "lifecycle: {preStop: {exec: {command: [PLAYER, do, -name=b, preStop, '0']}}}\n"
	return []Scenario{
		{ID: "T01", Title: "restart rules: an exit restarts all containers, from the first init container, without preStop", Starts: 4, Length: seconds(6),
			Manifest: pod("initContainers:\n"+doing("prepare", "0"), app("-life=3s:88|", all), containerAt("b", 8081, "-term=0:1s", preStop))},
		{ID: "T02", Title: "restart rules: the initial delay and the probes are those of the new instances", Starts: 5, Length: seconds(4),
			Manifest: pod("", app("-life=4s:88|", all), containerAt("b", 8081, "-answers=/live=200|/live=200,500x2,200", probe("livenessProbe", at(8081, "/live"), 2, []string{"initialDelaySeconds: 6"})))},
		{ID: "T03", Title: "restart rules: an exit restarts its container alone, under Never", Starts: 3, Length: seconds(6),
			Manifest: pod("restartPolicy: Never\n", app("-life=3s:42|", again+ready(1)), containerAt("b", 8081, "", ""))},
		{ID: "T04", Title: "restart rules: an exit that no rule names follows the container's policy", Starts: 2, Length: seconds(7),
			Manifest: pod("", app("-life=3s:7", all), containerAt("b", 8081, "-life=5s:0", again))},
		{ID: "T05", Title: "restart rules: sidecars are restarted with all containers", Starts: 4, Length: seconds(6),
			Manifest: pod("initContainers:\n"+sidecar("s", 9000, "", probe("startupProbe", at(9000, "/start"), 30, nil)), app("-life=3s:88|", all+ready(1)))},
	}
}
