//go:build kubectl && cluster

package kubectl

import (
	"strings"
	"testing"
	"time"
)

// outage is how long the API server is away.
const outage = 20 * time.Second

// testOutage: while the API server is away there is no verdict, people are told, and when it is
// back the rollout is followed to its end. Who follows it is nobody whom the server lets do all:
// one that has just started knows nobody's rights yet.
func (h hardship) testOutage(t *testing.T) {
	c := connectTo(t, h.cluster.Kubeconfig)
	bind(t, c.typed, c.namespace, c.namespace, "edit", c.namespace)
	d := h.deployer(t, kubeconfigAs(t, h.cluster, c.namespace))
	file := d.write(t, "shop.yaml", shop("web:1", settings))
	args := []string{"deploy", file, "-n", c.namespace, "--no-set"}
	run := h.begin(t, d.kubeconfig, args...)
	impatient := h.begin(t, d.kubeconfig, append(args, "--timeout=20s")...)
	programs := h.begin(t, d.kubeconfig, append(args, "-o=json")...)
	for _, c := range []*command{run, impatient} {
		c.await(t, "deployment/web revision 1")
	}
	programs.await(t, `"revision":1`)

	restart := must(h.cluster.Crash())(t)
	crashed := time.Now()
	run.await(t, "the server is not heard since ")
	programs.await(t, "the server is not heard since ")
	impatient.wants(t, 3, "the rollout goes on, and is not watched any longer: not known: ", "connection refused")
	h.begin(t, d.kubeconfig, args...).wants(t, 2, "cannot ask ", "connection refused", "nothing was sent")
	h.begin(t, d.kubeconfig, "check", "--context=", "-n="+c.namespace).wants(t, 2, "cannot check the cluster ", "connection refused")
	time.Sleep(time.Until(crashed.Add(outage))) // that is how long the outage lasts
	if err := restart(); err != nil {
		t.Fatal(err)
	}
	run.await(t, "the server answers again, after ")
	for _, c := range []*command{run, programs} {
		for _, early := range []string{"failed", "up:", `"verdict"`} {
			if l, ok := c.find(early); ok {
				t.Errorf("it has a verdict during the outage: %s", l.text)
			}
		}
	}
	playNode(t, c.typed, c.namespace)
	run.wants(t, 0, "up: deployment/web 2 of 2")
	programs.wants(t, 0, `"exit":0`)
	if says := run.output(); strings.Count(says, "not heard") != 1 || strings.Count(says, "answers again") != 1 {
		t.Errorf("it tells of one outage more than once:\n%s", says)
	}
	t.Logf("it said:\n%s", run.output())
}
