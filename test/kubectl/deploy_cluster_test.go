//go:build kubectl && cluster

package kubectl

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestClusterDeploy deploys to a real API server with real controllers. The node is played, so
// nothing is said here about probes.
func TestClusterDeploy(t *testing.T) {
	cluster := startCluster(t)
	defer func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if err := cluster.StartControllers(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]func(*testing.T, clients, deployer){
		"Apply": testDeployApply, "Conflict": testDeployConflict, "Prune": testDeployPrune, "Undo": testDeployUndo, "Leftovers": testDeployLeftovers,
		"Refusals": testDeployRefusals, "Admission": testDeployAdmission, "Kinds": testDeployKinds,
		"HowTo": testDeployHowTo, "Verbs": testVerbs, "Dashboard": testDashboard,
	} {
		t.Run(name, func(t *testing.T) {
			c := connectTo(t, cluster.Kubeconfig)
			playNode(t, c.typed, c.namespace)
			test(t, c, newDeployer(t, cluster.Kubeconfig))
		})
	}
}

// testDeployApply: created, unchanged, changed; what is only asked changes nothing.
func testDeployApply(t *testing.T, c clients, d deployer) {
	file := d.write(t, "shop.yaml", shop("web:1", settings))
	in := []string{file, "-n", c.namespace}
	d.wants(t, 0, []string{"configmap/settings is new, deployment/web is new"}, append(in, "--dry-run=server")...)
	d.wants(t, 1, []string{"+  name: settings", "+kind: Deployment"}, append(in, "--diff")...)
	if _, err := c.typed.CoreV1().ConfigMaps(c.namespace).Get(t.Context(), "settings", metav1.GetOptions{}); err == nil {
		t.Error("a dry run has created a ConfigMap")
	}
	d.wants(t, 0, []string{"configmap/settings created", "deployment/web created", "up: deployment/web 2 of 2"}, in...)
	d.wants(t, 0, []string{"configmap/settings unchanged", "deployment/web unchanged", "up: deployment/web 2 of 2"}, in...)
	d.wants(t, 0, nil, append(in, "--diff")...)
	d.write(t, "shop.yaml", shop("web:2", settings))
	d.wants(t, 1, []string{"-      - image: web:1", "+      - image: web:2"}, append(in, "--diff")...)
	d.wants(t, 0, []string{"configmap/settings unchanged", "deployment/web configured (generation 2)", "up: deployment/web 2 of 2"}, in...)
	d.wants(t, 0, []string{`"result":"unchanged"`, `"kind":"verdict"`, `"exit":0`}, append(in, "-o", "json")...)
}

// testDeployConflict: a field that another manager keeps is not taken unasked, and nothing is sent.
func testDeployConflict(t *testing.T, c clients, d deployer) {
	file := d.write(t, "shop.yaml", shop("web:1", ""))
	in := []string{file, "-n", c.namespace, "--wait=false"}
	d.wants(t, 0, nil, in...)
	patch := `{"spec":{"replicas":5}}`
	must(c.typed.AppsV1().Deployments(c.namespace).Patch(t.Context(), "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "autoscaler"}))(t)
	d.write(t, "shop.yaml", shop("web:2", settings))
	d.wants(t, 2, []string{"deployment/web spec.replicas is kept by autoscaler (", "--force-conflicts", "nothing was sent"}, in...)
	if _, err := c.typed.CoreV1().ConfigMaps(c.namespace).Get(t.Context(), "settings", metav1.GetOptions{}); err == nil {
		t.Error("a refused deployment has created a ConfigMap")
	}
	d.wants(t, 0, []string{"deployment/web configured"}, append(in, "--force-conflicts")...)
}

// testDeployPrune: only what this set has applied before, and only when it is asked for.
func testDeployPrune(t *testing.T, c clients, d deployer) {
	other := d.write(t, "other.yaml", strings.ReplaceAll(settings, "settings", "foreign"))
	file := d.write(t, "shop.yaml", shop("web:1", settings+strings.ReplaceAll(settings, "settings", "kept, annotations: {probity.run/keep: 'true'}")))
	d.wants(t, 0, nil, other, "-n", c.namespace)
	in := []string{file, "-n", c.namespace}
	d.wants(t, 0, nil, in...)
	d.write(t, "shop.yaml", shop("web:1", ""))
	d.wants(t, 0, nil, in...)
	d.wants(t, 2, []string{"configmap/settings is not in the files any more", "say --yes"}, append(in, "--prune")...)
	d.wants(t, 0, []string{"configmap/settings pruned", "configmap/kept is not in the files any more, and stays"}, append(in, "--prune", "--yes")...)
	left := must(c.typed.CoreV1().ConfigMaps(c.namespace).List(t.Context(), metav1.ListOptions{}))(t)
	var names []string
	for _, o := range left.Items {
		if o.Name != "kube-root-ca.crt" {
			names = append(names, o.Name)
		}
	}
	if got := strings.Join(names, " "); got != "foreign kept" {
		t.Errorf("ConfigMaps left: %s, want foreign kept", got)
	}
	d.write(t, "shop.yaml", shop("web:1", strings.ReplaceAll(settings, "settings", "foreign")))
	d.wants(t, 2, []string{"configmap/foreign belongs to another set", "nothing was sent"}, in...)
}

// testDeployUndo: the verdict comes first, then what was before comes back.
func testDeployUndo(t *testing.T, c clients, d deployer) {
	file := d.write(t, "shop.yaml", shop("web:1", ""))
	in := []string{file, "-n", c.namespace, "--undo-on-failure"}
	d.wants(t, 0, nil, in...)
	d.write(t, "shop.yaml", shop("absent", settings))
	d.wants(t, 1, []string{"failed: deployment", "absent", "deployment/web restored", "configmap/settings deleted"}, in...)
	web := must(c.typed.AppsV1().Deployments(c.namespace).Get(t.Context(), "web", metav1.GetOptions{}))(t)
	if got := web.Spec.Template.Spec.Containers[0].Image; got != "web:1" {
		t.Errorf("the image is %s after the undoing, want web:1", got)
	}
	if _, err := c.typed.CoreV1().ConfigMaps(c.namespace).Get(t.Context(), "settings", metav1.GetOptions{}); err == nil {
		t.Error("what was created is there after the undoing")
	}
}

// testDeployLeftovers: a field that kubectl apply had set, and the file has no longer, goes.
func testDeployLeftovers(t *testing.T, c clients, d deployer) {
	old := corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings"}, Data: map[string]string{"a": "b", "gone": "x"}}
	must(c.typed.CoreV1().ConfigMaps(c.namespace).Create(t.Context(), &old, metav1.CreateOptions{FieldManager: "kubectl-client-side-apply"}))(t)
	d.wants(t, 0, []string{"was applied by kubectl apply", "configmap/settings configured"}, d.write(t, "shop.yaml", settings), "-n", c.namespace)
	now := must(c.typed.CoreV1().ConfigMaps(c.namespace).Get(t.Context(), "settings", metav1.GetOptions{}))(t)
	if _, ok := now.Data["gone"]; ok {
		t.Errorf("the data are %v, want a alone", now.Data)
	}
}

// testDeployRefusals: one message, the exit code, nothing sent.
func testDeployRefusals(t *testing.T, c clients, d deployer) {
	nobody := c.namespace + "-viewer"
	kubeconfig := string(must(os.ReadFile(d.kubeconfig))(t))
	as := d
	as.kubeconfig = d.write(t, "viewer", strings.Replace(kubeconfig, "user: {token", "user: {as: "+nobody+", token", 1))
	wrong := d
	wrong.kubeconfig = d.write(t, "expired", strings.Replace(kubeconfig, "token: ", "token: not-", 1))
	file := d.write(t, "shop.yaml", shop("web:1", settings))
	as.wants(t, 2, []string{"forbidden", nobody, "nothing was sent"}, file, "-n", c.namespace)
	as.wants(t, 2, []string{"configmap/settings: not allowed", "deployment/web: not allowed"}, file, "-n", c.namespace, "--no-set")
	wrong.wants(t, 2, []string{"cannot ask", "nothing was sent"}, file, "-n", c.namespace)
	d.wants(t, 2, []string{"namespaces \"nowhere\" not found", "nothing was sent"}, file, "-n", "nowhere")
	d.wants(t, 2, []string{"unknown context"}, file, "--context", "unknown context")
	unknown := d.write(t, "unknown.yaml", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: {defaultBackend: {service: {name: a, port: {number: 80}}}, unknown: 1}\n")
	d.wants(t, 2, []string{"unknown.yaml:1: ingress/a: failed to create typed patch object", "field not declared in schema", "nothing was sent"}, unknown, "-n", c.namespace)
	old := d.write(t, "old.yaml", "apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata: {name: a}\n")
	d.wants(t, 2, []string{"the server does not serve Ingress of networking.k8s.io/v1beta1: write apiVersion: networking.k8s.io/v1"}, old, "-n", c.namespace)
	if all := must(c.typed.CoreV1().Secrets(c.namespace).List(t.Context(), metav1.ListOptions{}))(t); len(all.Items) > 0 {
		t.Errorf("refused deployments have made %d Secrets", len(all.Items))
	}
	d.wants(t, 0, nil, file, "-n", c.namespace, "--wait=false")
	immutable := d.write(t, "shop.yaml", strings.ReplaceAll(shop("web:1", ""), "app: web", "app: other"))
	d.wants(t, 2, []string{"shop.yaml:1: deployment/web", "field is immutable", "nothing was sent"}, immutable, "-n", c.namespace, "--wait=false")
}

// testDeployAdmission: what refuses a Pod at once ends the deployment with its words.
func testDeployAdmission(t *testing.T, c clients, d deployer) {
	label := `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`
	must(c.typed.CoreV1().Namespaces().Patch(t.Context(), c.namespace, types.MergePatchType, []byte(label), metav1.PatchOptions{}))(t)
	file := d.write(t, "shop.yaml", shop("web:1", ""))
	d.wants(t, 1, []string{"Warning: deployment/web would violate PodSecurity", "failed: deployment", "no Pod can be made", `violates PodSecurity "restricted:latest"`}, file, "-n", c.namespace)
	quota := corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/configmaps": resource.MustParse("0")}}}
	quotas := c.typed.CoreV1().ResourceQuotas(c.namespace)
	must(quotas.Create(t.Context(), &quota, metav1.CreateOptions{}))(t)
	eventually(t, "the quota counts", func() bool {
		now, err := quotas.Get(t.Context(), "none", metav1.GetOptions{})
		return err == nil && len(now.Status.Used) > 0
	})
	d.wants(t, 2, []string{"configmap/settings: the server refuses", "exceeded quota: none", "nothing was sent"}, d.write(t, "settings.yaml", settings), "-n", c.namespace)
}

// testDeployKinds: a namespace and a kind that the set itself brings cannot be asked about before,
// and are there when what needs them is applied.
func testDeployKinds(t *testing.T, c clients, d deployer) {
	name := c.namespace + "-own"
	group := c.namespace + ".example.com"
	file := d.write(t, "own.yaml", fmt.Sprintf(`apiVersion: %[2]s/v1
kind: Widget
metadata: {name: w, namespace: %[1]s}
spec: {size: 1}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.%[2]s}
spec:
  group: %[2]s
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: v1
kind: Namespace
metadata: {name: %[1]s}
`, name, group))
	d.wants(t, 0, []string{"widget/w is not checked by the server", "namespace/" + name + " created", "widget/w created"}, file, "--set", c.namespace)
	d.wants(t, 0, []string{"widget/w unchanged"}, file, "--set", c.namespace)
}

// testDeployHowTo follows docs/how-to/deploy-to-a-cluster.md command by command.
func testDeployHowTo(t *testing.T, c clients, d deployer) {
	page := string(must(os.ReadFile("../../docs/how-to/deploy-to-a-cluster.md"))(t))
	d.write(t, "app.yaml", shop("web:1", settings))
	played := 0
	for block := range strings.SplitSeq(page, "```sh\n") {
		commands, _, ok := strings.Cut(block, "```\n")
		if !ok || !strings.HasPrefix(commands, "probity ") {
			continue
		}
		for line := range strings.Lines(commands) {
			played++
			cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(line, "-n shop", "-n "+c.namespace))
			cmd.Dir = d.dir
			cmd.Env = append(os.Environ(), "KUBECONFIG="+d.kubeconfig, "PATH="+filepath.Dir(d.probity)+string(filepath.ListSeparator)+os.Getenv("PATH"))
			says, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != 0 && (code != 1 || !strings.Contains(line, "--diff")) {
				t.Errorf("%s ends with %v:\n%s", strings.TrimSpace(line), err, says)
			}
		}
	}
	if played < 6 {
		t.Errorf("the page has %d commands", played)
	}
}
