//go:build kubectl && cluster

package kubectl

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// causeTime is after how long what may yet come to rights has failed, and by when all that is
// played has to be.
const causeTime = "20s"

// cause is how a row of the table of causes is brought about.
type cause struct {
	manifest string
	// before is done before the deployment. play is done once there is one, and returns after what
	// the cause can be known, or zero if the controllers decide that.
	before func(*testing.T, clients)
	play   func(*testing.T, clients) time.Time
	line   string // with which the cause is told while the rollout is followed
	code   int
	says   []string // at the end
}

// causes are those that need only a control plane, by their number in the table.
func causes() map[string]cause {
	onlyAfter := func(play func(*testing.T, clients)) func(*testing.T, clients) time.Time {
		return func(t *testing.T, c clients) time.Time {
			play(t, c)
			return time.Now()
		}
	}
	return map[string]cause{
		"1 quota": {
			manifest: workload("Deployment", "", ""), before: func(t *testing.T, c clients) { makeQuota(t, c, "pods", "1") },
			line: "deployment/web doomed: no Pod can be made: exceeded quota: none, requested: pods=1, used: pods=1, limited: pods=1", code: 1,
			says: []string{
				"no Pod can be made (1 of 2 exist)", "the API server refuses: exceeded quota: none", "next: raise the quota, ask for less, or give the rollout no surge (maxSurge: 0)",
			},
		},
		"1 PodSecurity": {
			manifest: workload("Deployment", "", ""), before: func(t *testing.T, c clients) {
				labelNamespace(t, c, "pod-security.kubernetes.io/enforce", "restricted")
			},
			line: "deployment/web certain: no Pod can be made: violates PodSecurity", code: 1,
			says: []string{
				"no Pod can be made (0 of 2 exist)", `the API server refuses: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false`,
				"next: set what it names in spec.template.spec; it will refuse every Pod until then",
			},
		},
		"1 webhook": {
			manifest: workload("Deployment", "", ""), before: denyPods, line: "deployment/web certain: no Pod can be made: ", code: 1,
			says: []string{"no Pod can be made (0 of 2 exist)", "denied the request: no Pods on Sundays", "next: it will refuse every Pod until the template is as it wants it"},
		},
		"2 paused by the file": {
			manifest: workload("Deployment", "paused: true", ""), code: 0, says: []string{"not followed: deployment/web is paused: it is applied, nothing rolls out"},
		},
		"2 paused by somebody": {
			manifest: workload("Deployment", "", ""), before: makePaused, line: "deployment/web certain: is paused", code: 1,
			says: []string{" is paused: it is applied, nothing rolls out", "next: kubectl -n NAMESPACE rollout resume deployment/web"},
		},
		"3 unschedulable": {
			manifest: workload("Deployment", "", ""),
			play: onlyAfter(func(t *testing.T, c clients) {
				unschedule(t, c, "0/1 nodes are available: 1 Insufficient cpu.", time.Now())
			}),
			line: "suspect: fits on no node: 0/1 nodes are available: 1 Insufficient cpu.", code: 1,
			says: []string{
				"2 Pods fit on no node since ", "0/1 nodes are available: 1 Insufficient cpu. It asks for cpu 64", "next: ask for less (resources.requests), or add a node",
			},
		},
		"3 gated": {
			manifest: workload("Deployment", "", "schedulingGates: [{name: example.com/wait}]"), line: "suspect: waits for its scheduling gate example.com/wait", code: 1,
			says: []string{"2 Pods wait for their scheduling gate example.com/wait", "next: whoever set the gate must take it away"},
		},
		"4 claim": {
			manifest: claim + workload("Deployment", "", "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]"),
			play: onlyAfter(func(t *testing.T, c clients) {
				awaitEvent(t, c, "FailedBinding")
				unschedule(t, c, "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.", time.Now())
			}),
			line: "waits for its volumes: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.", code: 1,
			says: []string{
				"2 Pods wait for their volumes: ", "PersistentVolumeClaim data is Pending: no volume is bound to it: no persistent volumes available for this claim and no storage class is set",
				"next: is there a StorageClass that makes it? kubectl describe pvc data",
			},
		},
		"15 gate": {
			manifest: workload("Deployment", "", "readinessGates: [{conditionType: example.com/lb}]"),
			play: onlyAfter(func(t *testing.T, c clients) {
				report(t, c, 2, "", func(p *corev1.Pod) { notReady(p, "ReadinessGatesNotReady") })
			}),
			line: "suspect: waits for example.com/lb, which nobody set", code: 1,
			says: []string{"all containers are ready, the Pod is not: readiness gate example.com/lb has no condition", "next: its controller (a load balancer's?) must set it"},
		},
		"16 minReadySeconds": {
			manifest: workload("Deployment", "minReadySeconds: 10", ""), play: onlyAfter(func(t *testing.T, c clients) { report(t, c, 2, "", nil) }),
			line: "ready; counts in ", code: 0, says: []string{"up: deployment/web 2 of 2"},
		},
		"17 node": {
			manifest: workload("Deployment", "", ""), before: func(t *testing.T, c clients) { makeNode(t, c, c.namespace+"-node") },
			play: onlyAfter(func(t *testing.T, c clients) {
				report(t, c, 2, c.namespace+"-node", func(p *corev1.Pod) { notReady(p, "") })
				reportNode(t, c, c.namespace+"-node", "Unknown", "NodeStatusUnknown", time.Now().Add(-50*time.Second))
			}),
			line: "suspect: node NAMESPACE-node has not reported since ", code: 1,
			says: []string{"node NAMESPACE-node has not reported since ", "next: look after the node: kubectl describe node NAMESPACE-node"},
		},
		"18 job": {
			manifest: "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\nspec: {backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: m, image: m}]}}}\n",
			play: func(t *testing.T, c clients) time.Time {
				report(t, c, 1, "", func(p *corev1.Pod) { fail(p, 3) })
				return time.Time{}
			},
			line: "certain: BackoffLimitExceeded after 1 Pod", code: 1,
			says: []string{"failed: job NAMESPACE/migrate: BackoffLimitExceeded: 1 Pod failed (backoffLimit 0), container m exits with 3"},
		},
		"21 wrong selector": {
			manifest: service("wbe") + workload("Deployment", "", ""), play: onlyAfter(func(t *testing.T, c clients) { report(t, c, 2, "", nil) }), code: 0,
			says: []string{"up: deployment/web 2 of 2", "Warning: nobody is behind service web: selector app=wbe"},
		},
		"21 no endpoints": { // the Pods are on no node, so that they get none
			manifest: service("web") + workload("Deployment", "", ""), play: onlyAfter(func(t *testing.T, c clients) { report(t, c, 2, "", nil) }), code: 0,
			says: []string{"up: deployment/web 2 of 2; service/web 0 ready endpoints", "warning: nobody is behind service web: selector app=web"},
		},
	}
}

// testCauses: each cause is told when it can be known, and at the end, as it is documented.
func (h hardship) testCauses(t *testing.T) {
	for name, cause := range causes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connectTo(t, h.cluster.Kubeconfig)
			if cause.before != nil {
				cause.before(t, c)
			}
			in := func(text string) string { return strings.ReplaceAll(text, "NAMESPACE", c.namespace) }
			d := h.deployer(t, h.cluster.Kubeconfig)
			limit := causeTime
			if cause.code == 0 {
				limit = timeout.String() // what comes up has to come up in time, however busy the machine is
			}
			run := h.begin(t, d.kubeconfig, "deploy", d.write(t, "shop.yaml", cause.manifest), "-n", c.namespace, "--timeout="+limit)
			var decided time.Time
			if cause.play != nil {
				decided = cause.play(t, c)
			}
			if cause.line != "" {
				if said := run.await(t, in(cause.line)); !decided.IsZero() {
					t.Logf("told %v after it was decided", max(said.at.Sub(decided), 0).Round(time.Millisecond))
				}
			}
			for i := range cause.says {
				cause.says[i] = in(cause.says[i])
			}
			run.wants(t, cause.code, cause.says...)
		})
	}
}

// testOldPods: when only Pods are left that are being deleted, that is what is waited for (19).
func (h hardship) testOldPods(t *testing.T) {
	c := connectTo(t, h.cluster.Kubeconfig)
	node := c.namespace + "-node"
	makeNode(t, c, node)
	d := h.deployer(t, h.cluster.Kubeconfig)
	text := workload("Deployment", "strategy: {type: Recreate}", "")
	args := []string{"deploy", d.write(t, "shop.yaml", text), "-n", c.namespace}
	run := h.begin(t, d.kubeconfig, args...)
	report(t, c, 2, node, nil)
	run.wants(t, 0, "up: deployment/web 2 of 2")
	old := must(c.typed.CoreV1().Pods(c.namespace).List(t.Context(), metav1.ListOptions{}))(t).Items

	d.write(t, "shop.yaml", strings.Replace(text, "web:1", "web:2", 1))
	run = h.begin(t, d.kubeconfig, args...)
	run.await(t, "waits for 2 old Pods (grace 60 s)") // in a note, or still: one may be seen before the other
	for _, pod := range old {
		if err := c.typed.CoreV1().Pods(c.namespace).Delete(t.Context(), pod.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); err != nil {
			t.Error(err)
		}
	}
	report(t, c, 2, node, nil)
	run.wants(t, 0, "up: deployment/web 2 of 2")
}

// testStuck: a StatefulSet does not replace a Pod that is not ready, and so it blocks what would
// mend it; who deletes it as told goes on (20).
func (h hardship) testStuck(t *testing.T) {
	c := connectTo(t, h.cluster.Kubeconfig)
	d := h.deployer(t, h.cluster.Kubeconfig)
	text := workload("StatefulSet", "serviceName: web", "")
	args := []string{"deploy", d.write(t, "shop.yaml", strings.Replace(text, "web:1", "absent", 1)), "-n", c.namespace}
	run := h.begin(t, d.kubeconfig, args...)
	report(t, c, 1, "", nil)
	run.wants(t, 1, "failed: statefulset "+c.namespace+"/web: ", "absent")

	d.write(t, "shop.yaml", text)
	run = h.begin(t, d.kubeconfig, append(args, "--timeout="+causeTime)...)
	run.await(t, "doomed: is of the old revision and blocks")
	run.wants(t, 1, "web-0 is of an older revision, never gets ready, and is in the way (podManagementPolicy OrderedReady)", "next: kubectl -n "+c.namespace+" delete pod web-0")

	run = h.begin(t, d.kubeconfig, args...)
	run.await(t, "is of the old revision and blocks")
	if err := c.typed.CoreV1().Pods(c.namespace).Delete(t.Context(), "web-0", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	playNode(t, c.typed, c.namespace)
	run.wants(t, 0, "up: statefulset/web 2 of 2")
}
