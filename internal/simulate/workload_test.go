package simulate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// everyKind has an object of each kind that makes Pods.
func everyKind() string {
	const template = `{metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: c, livenessProbe: {httpGet: {path: /, port: 80}}}]}}`
	once := strings.Replace(template, "spec: {", "spec: {restartPolicy: Never, ", 1)
	const selector = "selector: {matchLabels: {app: a}}, "
	var text strings.Builder
	text.WriteString("apiVersion: v1\nkind: Pod\nmetadata: {name: pod}\nspec: {containers: [{name: c, image: c, livenessProbe: {httpGet: {path: /, port: 80}}}]}\n")
	for _, o := range []struct{ version, kind, spec string }{
		{"apps/v1", "Deployment", selector + "template: " + template},
		{"apps/v1", "ReplicaSet", selector + "template: " + template},
		{"apps/v1", "StatefulSet", selector + "serviceName: s, template: " + template},
		{"apps/v1", "DaemonSet", selector + "template: " + template},
		{"v1", "ReplicationController", "selector: {app: a}, template: " + template},
		{"batch/v1", "Job", "template: " + once},
		{"batch/v1", "CronJob", `schedule: "@daily", jobTemplate: {spec: {template: ` + once + `}}`},
	} {
		fmt.Fprintf(&text, "---\napiVersion: %s\nkind: %s\nmetadata: {name: %s}\nspec: {%s}\n", o.version, o.kind, strings.ToLower(o.kind), o.spec)
	}
	return text.String()
}

// TestEveryWorkload simulates each kind whose probes a manifest can have.
func TestEveryWorkload(t *testing.T) {
	r := simulated(t, everyKind(), simulatetest.Script(t, "hang@60s"), Options{Horizon: 5 * time.Minute})
	want := []string{
		"Pod pod", "Deployment deployment, 1 replica", "ReplicaSet replicaset, 1 replica", "StatefulSet statefulset, 1 replica", "DaemonSet daemonset, 1 node",
		"ReplicationController replicationcontroller, 1 replica", "Job job", "CronJob cronjob",
	}
	if diff := cmp.Diff(want, r.Summary.Workloads); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// a Pod that is not to be restarted has no restarts, though its probe decides so
	if n := len(r.Summary.Verdicts); n != len(want) || r.Summary.Restarts != len(want)-2 {
		t.Errorf("%d decisions and %d restarts of %d workloads", n, r.Summary.Restarts, len(want))
	}
}

// TestFaultOfAWorkload is about one workload of several whose containers have one name.
func TestFaultOfAWorkload(t *testing.T) {
	for fault, want := range map[string]string{
		"hang@60s": "all",
		"hang@60s,workload=deployment/deployment":          "deployment",
		"hang@60s:c/liveness,workload=deploy/deployment":   "deployment",
		"hang@60s,workload=ds/daemonset":                   "daemonset",
		"hang@60s,workload=DaemonSet/daemonset":            "daemonset",
		"hang@60s,workload=statefulset":                    "statefulset",
		"crash-loop=40s,workload=rc/replicationcontroller": "replicationcontroller",
		"slow-start=90s,workload=pod":                      "pod",
		"slow-start=90s:c,workload=sts/statefulset":        "statefulset",
		"gc-stall=60s/90s,workload=rs/replicaset":          "replicaset",
		"flap=20s/40s,workload=pod/pod":                    "",
	} {
		r := simulated(t, everyKind(), simulatetest.Script(t, fault), Options{Horizon: 5 * time.Minute})
		restarted := map[string]bool{}
		for _, e := range r.Timeline.Entries() {
			if e.Kind == EntryProcess && e.Instance > 1 {
				name, _, _ := strings.Cut(e.Pod, "-")
				restarted[name] = true
			}
		}
		if want == "all" {
			if len(restarted) != 6 {
				t.Errorf("%s restarts %v", fault, restarted)
			}
			continue
		}
		if len(restarted) > 1 || want != "" && !restarted[want] {
			t.Errorf("%s restarts %v, want %s alone", fault, restarted, want)
		}
	}
}

// TestErrorsQuoteLittle holds messages to the beginning of what others wrote, without letters that
// nobody sees, and to the first of many names.
func TestErrorsQuoteLittle(t *testing.T) {
	long := strings.Repeat("w\u2800", 5000)
	var many strings.Builder
	for i := range 500 {
		many.WriteString("---\n" + strings.ReplaceAll(simulatetest.PodWith(""), "name: web", fmt.Sprintf("name: web%d", i)))
	}
	for _, fault := range []string{"hang@60s,workload=" + long, "hang@60s:" + long, "hang@60s:web0/" + long, long, "hang@" + long} {
		sc := &script.Script{}
		err := sc.ParseFault(fault)
		if err == nil {
			_, err = Run(simulatetest.Objects(t, many.String()), sc, Options{})
		}
		if err == nil || len(err.Error()) > 1000 || strings.Contains(err.Error(), "\u2800") {
			t.Errorf("%.30s…: %.500v", fault, err)
		}
	}
}

// TestFaultOfNoWorkload refuses names that the manifest does not have, and says which it has.
func TestFaultOfNoWorkload(t *testing.T) {
	for fault, want := range map[string]string{
		"hang@60s,workload=web":                    `the script speaks of workload "web", which the manifest does not have: it has [pod/pod deployment/deployment replicaset/`,
		"hang@60s,workload=deployment/pod":         `the script speaks of workload "deployment/pod", which`,
		"slow-start=9s,workload=web":               `the script speaks of workload "web", which`,
		"hang@60s:d,workload=deployment":           `the script speaks of container "d", which deployment/deployment does not have: it has [c]`,
		"slow-start=9s:d,workload=ds/daemonset":    `the script speaks of container "d", which daemonset/daemonset does not have: it has [c]`,
		"rollout@60s,workload=nginx":               `the script speaks of workload "nginx", which`,
		"hang@60s,workload=pod,workload=daemonset": `the script speaks of workload "pod,workload=daemonset", which`,
	} {
		_, err := Run(simulatetest.Objects(t, everyKind()), simulatetest.Script(t, fault), Options{})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s…", fault, err, want)
		}
	}
}

// TestRolloutOfAWorkload rolls one of two Deployments, and a DaemonSet one node after the other.
func TestRolloutOfAWorkload(t *testing.T) {
	for fault, want := range map[string]string{"rollout@60s,workload=deploy/deployment": "deployment-rev2", "rollout@60s,workload=ds/daemonset": "daemonset-rev2"} {
		r := simulated(t, everyKind(), simulatetest.Script(t, fault), Options{Horizon: 5 * time.Minute, Replicas: 3})
		var rolled []string
		for _, e := range r.Timeline.Entries() {
			if e.Kind == EntryRollout && strings.Contains(e.Text, "rev2") {
				rolled = append(rolled, e.Text)
			}
		}
		if len(rolled) != 3 || strings.Count(strings.Join(rolled, "\n"), want) != 3 {
			t.Errorf("%s: %q", fault, rolled)
		}
	}
}

// TestProgramsOfAWorkload reads them from a script.
func TestProgramsOfAWorkload(t *testing.T) {
	sc, err := script.Decode("script.yaml", []byte(`
programs:
  "*": {startup: 1s}
  c: {startup: 2s}
  "daemonset/daemonset:*": {startup: 90s}
faults:
- {fault: hang, at: 60s, for: 40s, workload: pod/pod}
`))
	if err != nil {
		t.Fatal(err)
	}
	r := simulated(t, everyKind(), sc, Options{Horizon: 2 * time.Minute})
	for _, v := range r.Summary.Verdicts {
		if v.Pod != "daemonset-1" && v.Pod != "pod" {
			t.Errorf("%s is restarted", v.Pod)
		}
	}
	if len(r.Summary.Faults) != 1 || r.Summary.Faults[0].Workload != "pod/pod" {
		t.Errorf("faults %+v", r.Summary.Faults)
	}
}

// TestGeneratedNames are of objects that leave their name to the API server.
func TestGeneratedNames(t *testing.T) {
	text := strings.ReplaceAll(everyKind(), "metadata: {name: ", "metadata: {generateName: my-")
	r := simulated(t, text, simulatetest.Script(t, "hang@60s,workload=job/my-job"), Options{Horizon: 5 * time.Minute})
	if len(r.Summary.Faults) != 1 || r.Summary.Faults[0].Workload != "job/my-job" || r.Summary.Faults[0].Pod != "my-job" {
		t.Errorf("faults %+v", r.Summary.Faults)
	}
}
