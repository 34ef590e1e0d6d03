//go:build kubectl && cluster

package kubectl

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// testVerbs: the commands for runs speak to a real API server, which has DaemonSets and Jobs, and
// whose nodes can be away.
func testVerbs(t *testing.T, c clients, d deployer) {
	nodeAway(t, c)
	bind(t, c.typed, "jane", "jane", "system:aggregate-to-view", c.namespace)
	d.wants(t, 0, nil, d.write(t, "all.yaml", shop("web:1", `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "agent:1", imagePullPolicy: Never}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: seed}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: seed, image: "seed:1", imagePullPolicy: Never}]}
---
`)), "-n", c.namespace, "--wait=false")
	in := func(words ...string) []string { return append(words, "-n", c.namespace) }
	d.does(t, 0, []string{"daemonset.apps/agent condition met"}, in("wait", "ds/agent", "--for=jsonpath={.status.desiredNumberScheduled}=1", "--timeout=1m")...)
	d.does(t, 0, []string{"daemon set \"agent\" successfully rolled out"}, in("rollout", "status", "ds/agent")...)
	d.does(t, 0, []string{"deployment \"web\" successfully rolled out"}, in("rollout", "status", "web")...)
	d.does(t, 0, []string{"job.batch/seed condition met"}, in("wait", "job/seed", "--for=jsonpath={.status.active}=1", "--timeout=1m")...)
	d.does(t, 0, []string{"/daemonset/agent ", "/job/seed ", "/deployment/web ", "  " + c.namespace + "/pod/agent-"}, in("ps")...)
	d.does(t, 0, []string{"NAMESPACE ", c.namespace + " ", " daemonset/agent ", " job/seed "}, "ps", "-A")
	d.does(t, 0, []string{"Replicas:       1 desired, 1 updated, 1 available"}, in("describe", "agent")...)
	d.does(t, 0, []string{"Completions:    1 to complete, 0 succeeded, 1 active, 0 failed"}, in("describe", "seed")...)
	d.does(t, 0, []string{"daemonset/agent restarted"}, in("restart", "agent", "--timeout=1m")...)
	d.does(t, 0, []string{"daemonset.apps/agent rolled back"}, in("rollout", "undo", "agent")...)
	d.does(t, 1, []string{"cannot restart", "a Job runs once"}, in("restart", "seed")...)
	d.does(t, 0, []string{"SuccessfulCreate"}, in("events", "seed")...)
	d.does(t, 1, []string{"cannot run the command in", "/pod/lost: its node away-" + c.namespace + " does not answer the API server: "}, append(in("exec", "lost"), "--", "ls")...)
	d.does(t, 1, []string{"its node away-" + c.namespace + " does not answer the API server: ", "connection refused"}, in("logs", "lost")...)
	asked := deployer{d.probity, kubeconfigAs(t, &Cluster{Kubeconfig: d.kubeconfig}, "jane"), d.dir}
	asked.does(t, 0, []string{"/daemonset/agent ", "/job/seed "}, in("ps")...)
	asked.does(t, 1, []string{"cannot ask the cluster: may not list services, deployments, statefulsets, replicasets, pods in all namespaces; try one with -n: ", `User "jane"`}, "ps", "-A")
	asked.does(t, 1, []string{"cannot run the command in", "cannot get resource \"pods/exec\""}, append(in("exec", "lost"), "--", "ls")...)
	asked.does(t, 1, []string{"cannot delete ", "cannot delete resource \"pods\""}, in("delete", "pod", "lost")...)
	d.does(t, 0, []string{`pod "lost" deleted from `}, in("delete", "pod", "lost", "--grace-period=0")...)
	d.does(t, 0, []string{`job.batch "seed" deleted from `, `daemonset.apps "agent" deleted from `}, in("delete", "job/seed", "ds/agent")...)
}

// nodeAway makes a node on whose port nobody listens, and a Pod lost that runs there in name.
func nodeAway(t *testing.T, c clients) {
	t.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "away-" + c.namespace}}
	node = must(c.typed.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}))(t)
	t.Cleanup(func() {
		if err := c.typed.CoreV1().Nodes().Delete(context.Background(), node.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	// no controller finds out that nodes are ready here, and takes the taint of new ones away
	must(c.typed.CoreV1().Nodes().Patch(t.Context(), node.Name, types.MergePatchType, []byte(`{"spec":{"taints":null}}`), metav1.PatchOptions{}))(t)
	status := []byte(`{"status":{"addresses":[{"type":"InternalIP","address":"127.0.0.1"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":1}},"conditions":[{"type":"Ready","status":"True"}]}}`)
	must(c.typed.CoreV1().Nodes().Patch(t.Context(), node.Name, types.MergePatchType, status, metav1.PatchOptions{}, "status"))(t) // a controller changes it, too
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "lost"}, Spec: corev1.PodSpec{NodeName: node.Name, Containers: []corev1.Container{{Name: "app", Image: "app:1"}}}}
	must(c.typed.CoreV1().Pods(c.namespace).Create(t.Context(), pod, metav1.CreateOptions{}))(t)
}

// does runs a command of Probity on the cluster, and expects an exit code and texts in what it
// says.
func (d deployer) does(t *testing.T, code int, texts []string, args ...string) {
	t.Helper()
	args = append([]string{args[0], "--kubeconfig", d.kubeconfig}, args[1:]...)
	if args[0] == "rollout" {
		args[1], args[2], args[3] = args[3], args[1], args[2]
	}
	out, err := exec.CommandContext(t.Context(), d.probity, args...).CombinedOutput()
	got, says := 0, string(out)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if got != code {
		t.Errorf("%s ends with %d, want %d:\n%s", strings.Join(args, " "), got, code, says)
	}
	for _, text := range texts {
		if !strings.Contains(says, text) {
			t.Errorf("%s does not say %q:\n%s", strings.Join(args, " "), text, says)
		}
	}
}
