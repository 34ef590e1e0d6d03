//go:build kubectl && cluster

package kubectl

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// five are objects of a step each. Before them is a sixth, of a kind that the others are not.
const (
	five = `apiVersion: v1
kind: Secret
metadata: {name: key}
---
` + settings + `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: t, image: t}]}}}}}
---
`
	sixth = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: gone}\n---\n"
)

// manifestOfFive has the objects, the Deployment with an image.
func manifestOfFive(image, before string) string { return before + shop(image, five) }

// writesOfFive are those of a deployment of five objects that prunes one: the set, them, the one,
// and the set again.
const writesOfFive = 1 + 5 + 1 + 1

// testKilled: at whichever write probity is killed, before the server has it or after, a second run
// ends what the first has begun, nothing is there twice, and the set tells what it has.
func (h hardship) testKilled(t *testing.T) {
	for n := 1; n <= writesOfFive; n++ {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d done %v", n, done), func(t *testing.T) {
				t.Parallel()
				h.testKilledAt(t, n, done)
			})
		}
	}
}

func (h hardship) testKilledAt(t *testing.T, n int, done bool) {
	c := h.connect(t)
	d := h.deployer(t, h.cluster.Kubeconfig)
	file := d.write(t, "shop.yaml", manifestOfFive("web:1", sixth))
	in := []string{file, "-n", c.namespace, "--prune", "--yes"}
	d.wants(t, 0, nil, in...)
	d.write(t, "shop.yaml", strings.ReplaceAll(manifestOfFive("web:2", ""), "{a: b}", "{a: c}"))

	reached, dead := make(chan struct{}), make(chan struct{})
	kubeconfig := h.desk(t, atWrite(n, func(_ http.ResponseWriter, r *http.Request, next http.Handler) {
		if done {
			next.ServeHTTP(httptest.NewRecorder(), r)
		}
		close(reached)
		<-dead
	}))
	run := h.begin(t, kubeconfig, append([]string{"deploy"}, in...)...)
	select {
	case <-reached:
	case <-run.ended:
	}
	if err := run.Process.Kill(); err != nil {
		t.Errorf("it has ended already: %v\n%s", err, run.output())
	}
	close(dead)
	<-run.ended
	h.checkSet(t, c, false)

	d.wants(t, 0, nil, in...)
	h.checkSet(t, c, true)
	code, says := d.run(t, in...)
	if code != 0 || strings.Count(says, " unchanged\n") != 5+1 || // the plan ends so, too
		strings.Contains(says, "pruned") {
		t.Errorf("the third run ends with %d, and not all is unchanged:\n%s", code, says)
	}
	web := must(c.typed.AppsV1().Deployments(c.namespace).Get(t.Context(), "web", metav1.GetOptions{}))(t)
	if got := web.Spec.Template.Spec.Containers[0].Image; got != "web:2" || web.Generation != 2 {
		t.Errorf("the image is %s in generation %d, want web:2 in 2", got, web.Generation)
	}
}

// checkSet checks that a set has written down the kind of each of its members, and once all is
// done, that these are the five and no other kind is written down.
func (h hardship) checkSet(t *testing.T, c clients, done bool) {
	t.Helper()
	parent := must(c.typed.CoreV1().Secrets(c.namespace).Get(t.Context(), "probity.shop", metav1.GetOptions{}))(t)
	kinds := strings.Split(parent.Annotations["applyset.kubernetes.io/contains-group-kinds"], ",")
	id := parent.Labels["applyset.kubernetes.io/id"]
	if by := parent.Annotations["applyset.kubernetes.io/tooling"]; by != "probity/v1" || parent.Annotations["applyset.kubernetes.io/additional-namespaces"] != "" {
		t.Errorf("the set has annotations %v", parent.Annotations)
	}
	all := metav1.ListOptions{LabelSelector: "applyset.kubernetes.io/part-of=" + id}
	var members []string
	has := func(kind string, count func() (int, error)) {
		t.Helper()
		n := must(count())(t)
		if n > 0 {
			members = append(members, kind)
		}
		if n > 1 || n > 0 && !slices.Contains(kinds, kind) {
			t.Errorf("the set has %d of %s, and says that it has %v", n, kind, kinds)
		}
	}
	core, apps, batch := c.typed.CoreV1(), c.typed.AppsV1(), c.typed.BatchV1()
	has("ConfigMap", countOf(core.ConfigMaps(c.namespace).List(t.Context(), all)))
	has("CronJob.batch", countOf(batch.CronJobs(c.namespace).List(t.Context(), all)))
	has("Deployment.apps", countOf(apps.Deployments(c.namespace).List(t.Context(), all)))
	has("Secret", countOf(core.Secrets(c.namespace).List(t.Context(), all)))
	has("Service", countOf(core.Services(c.namespace).List(t.Context(), all)))
	has("ServiceAccount", countOf(core.ServiceAccounts(c.namespace).List(t.Context(), all)))
	if done && (len(members) != 5 || !slices.Equal(members, kinds)) {
		t.Errorf("the set has %v, and says that it has %v", members, kinds)
	}
}

// testInterrupted: at whichever write there is an interrupt, what is sent is waited for, and each
// object is told to be applied or not.
func (h hardship) testInterrupted(t *testing.T) {
	const all = "secret/key configmap/settings service/web deployment/web cronjob/tick"
	for n := 1; n <= 6; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			c := h.connect(t)
			reached, told := make(chan struct{}), make(chan struct{})
			kubeconfig := h.desk(t, atWrite(n, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				close(reached)
				<-told
				next.ServeHTTP(w, r)
			}))
			d := h.deployer(t, kubeconfig)
			run := h.begin(t, kubeconfig, "deploy", d.write(t, "shop.yaml", manifestOfFive("web:1", "")), "-n", c.namespace, "-o=json")
			<-reached
			if err := run.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			run.await(t, "interrupted: ")
			close(told)
			names := strings.Fields(all)
			if n-1 == len(names) { // nothing was left, so that it is the rollout that is interrupted
				run.wants(t, 3, "the rollout goes on, and is not watched any longer: interrupted")
			} else {
				run.wants(t, 3, "interrupted")
			}
			run.wantsEnd(t, names[:n-1], names[n-1:], nil)
		})
	}
}

// testUnanswered: of an object that was sent and whose answer is lost, nobody knows; a second run
// ends what the first has begun.
func (h hardship) testUnanswered(t *testing.T) {
	names := []string{"secret/key", "configmap/settings", "service/web", "deployment/web", "cronjob/tick"}
	for n := 2; n <= 6; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			c := h.connect(t)
			kubeconfig := h.desk(t, atWrite(n, func(_ http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler)
			}))
			d := h.deployer(t, kubeconfig)
			file := d.write(t, "shop.yaml", manifestOfFive("web:1", ""))
			run := h.begin(t, kubeconfig, "deploy", file, "-n", c.namespace, "-o=json")
			run.wants(t, 3, "not known: "+names[n-2])
			run.wantsEnd(t, names[:n-2], names[n-1:], names[n-2:n-1])
			d.wants(t, 0, []string{names[n-2] + " unchanged", "up: deployment/web 2 of 2"}, file, "-n", c.namespace)
			h.checkSet(t, c, true)
		})
	}
}

// wantsEnd expects that a run with --output json tells at its end what has become of each object.
func (c *command) wantsEnd(t *testing.T, applied, notApplied, unknown []string) {
	t.Helper()
	told, ok := c.find(`"kind":"end"`)
	if !ok {
		t.Fatalf("it does not tell the end:\n%s", c.output())
	}
	var end struct{ Applied, NotApplied, Unknown []string }
	if err := json.Unmarshal([]byte(told.text), &end); err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2][]string{"applied": {end.Applied, applied}, "not applied": {end.NotApplied, notApplied}, "unknown": {end.Unknown, unknown}} {
		if want := slices.Sorted(slices.Values(pair[1])); !slices.Equal(pair[0], want) {
			t.Errorf("%s are %v, want %v", name, pair[0], want)
		}
	}
}

// countOf counts the objects of a list.
func countOf[L metav1.ListInterface](list L, err error) func() (int, error) {
	return func() (int, error) {
		if err != nil {
			return 0, err
		}
		items, err := meta.ExtractList(any(list).(runtime.Object))
		return len(items), err
	}
}
