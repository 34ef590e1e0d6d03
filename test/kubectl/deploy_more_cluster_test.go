//go:build kubectl && cluster

package kubectl

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// TestClusterDeployMore is about what a deployment does beside applying: Jobs that come first,
// configuration that restarts, undoing later, quotas, rights, kinds that go; and about fixes of
// what runs.
func TestClusterDeployMore(t *testing.T) {
	cluster := startCluster(t)
	defer func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if err := cluster.StartControllers(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for name, test := range map[string]func(*testing.T, clients, deployer){
		"Before": testDeployBefore, "Config": testDeployConfig, "UndoLater": testDeployUndoLater, "Quota": testDeployQuota, "Rights": testDeployRights,
		"GoneKinds": testDeployGoneKinds, "Fix": testFix, "SomeNamespaces": testSomeNamespaces,
	} {
		t.Run(name, func(t *testing.T) {
			c := connectTo(t, cluster.Kubeconfig)
			playNode(t, c.typed, c.namespace)
			test(t, c, newDeployer(t, cluster.Kubeconfig))
		})
	}
}

// playJobs ends the Pods of Jobs in a namespace until the test ends: with success, but for those
// whose image is "fails".
func playJobs(t *testing.T, client *kubernetes.Clientset, namespace string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	t.Cleanup(func() { stop(); <-ended })
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			watching, err := client.CoreV1().Pods(namespace).Watch(ctx, metav1.ListOptions{LabelSelector: "job-name"})
			if err != nil {
				continue
			}
			for change := range watching.ResultChan() {
				pod, ok := change.Object.(*corev1.Pod)
				if !ok || pod.Status.Phase != corev1.PodRunning || pod.DeletionTimestamp != nil {
					continue // the node has not started it yet
				}
				now := metav1.Now()
				end := &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now}
				pod.Status.Phase = corev1.PodSucceeded
				if pod.Spec.Containers[0].Image == "fails" {
					end.ExitCode, end.Reason, pod.Status.Phase = 1, "Error", corev1.PodFailed
				}
				pod.Status.ContainerStatuses[0].State, pod.Status.ContainerStatuses[0].Ready = corev1.ContainerState{Terminated: end}, false
				_, _ = client.CoreV1().Pods(namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{}) // another change is seen, too
			}
		}
	}()
}

func migration(name, image string) string {
	return "apiVersion: batch/v1\nkind: Job\nmetadata: {name: " + name + ", annotations: {probity.run/before: 'true'}}\n" +
		"spec: {backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: m, image: " + image + "}]}}}\n---\n"
}

// testDeployBefore: the workloads wait for a Job, and are not applied if it fails.
func testDeployBefore(t *testing.T, c clients, d deployer) {
	playJobs(t, c.typed, c.namespace)
	in := []string{d.write(t, "shop.yaml", shop("web:1", migration("one", "works"))), "-n", c.namespace}
	code, says := d.run(t, in...)
	finished, created := strings.Index(says, "job/one has finished"), strings.Index(says, "deployment/web created")
	if code != 0 || finished < 0 || created < finished {
		t.Errorf("exit code %d, the Job has finished at %d, the Deployment was created at %d:\n%s", code, finished, created, says)
	}
	d.wants(t, 0, []string{"job/one unchanged", "job/one has finished", "deployment/web unchanged"}, in...)
	d.write(t, "shop.yaml", shop("web:2", migration("two", "fails")+settings))
	d.wants(t, 1, []string{"configmap/settings created", "/two: BackoffLimitExceeded", "deployment/web not applied", "job/two had to finish first"}, in...)
	web := must(c.typed.AppsV1().Deployments(c.namespace).Get(t.Context(), "web", metav1.GetOptions{}))(t)
	if image := web.Spec.Template.Spec.Containers[0].Image; image != "web:1" {
		t.Errorf("the image is %s", image)
	}
	d.write(t, "shop.yaml", shop("web:2", migration("three", "fails")+settings))
	d.wants(t, 1, []string{"configmap/settings unchanged", "deployment/web not applied", "job/three deleted"}, append(in, "--undo-on-failure")...)
}

// testDeployConfig: a ConfigMap that changes alone restarts nobody, unless the template has its
// hash.
func testDeployConfig(t *testing.T, c clients, d deployer) {
	reading := strings.ReplaceAll(shop("web:1", settings), "imagePullPolicy: Never", "imagePullPolicy: Never, envFrom: [{configMapRef: {name: settings}}]")
	in := []string{d.write(t, "shop.yaml", reading), "-n", c.namespace}
	d.wants(t, 0, nil, in...)
	d.write(t, "shop.yaml", strings.ReplaceAll(reading, "a: b", "a: c"))
	d.wants(t, 0, []string{"nothing restarts: deployment/web reads configmap/settings", "deployment/web unchanged"}, in...)
	d.wants(t, 0, []string{"deployment/web configured"}, append(in, "--restart-on-config")...)
	d.wants(t, 0, []string{"deployment/web unchanged"}, append(in, "--restart-on-config")...)
	d.write(t, "shop.yaml", strings.ReplaceAll(reading, "a: b", "a: d"))
	d.wants(t, 0, []string{"configmap/settings configured", "deployment/web configured", "up: deployment/web 2 of 2"}, append(in, "--restart-on-config")...)
}

// testDeployUndoLater: what a killed deployment has left is undone by another one.
func testDeployUndoLater(t *testing.T, c clients, d deployer) {
	in := []string{d.write(t, "shop.yaml", shop("web:1", "")), "-n", c.namespace}
	d.wants(t, 2, []string{"nothing is kept of the set shop"}, append(in, "--undo")...)
	d.wants(t, 0, nil, append(in, "--undo-on-failure")...)
	d.write(t, "shop.yaml", strings.ReplaceAll(shop("web:2", settings), "replicas: 2", "replicas: 2\n  minReadySeconds: 300"))
	killed := exec.CommandContext(t.Context(), d.probity, append([]string{"deploy", "--kubeconfig", d.kubeconfig, "--undo-on-failure"}, in...)...)
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new image is applied", func() bool {
		web, err := c.typed.AppsV1().Deployments(c.namespace).Get(t.Context(), "web", metav1.GetOptions{})
		return err == nil && web.Spec.Template.Spec.Containers[0].Image == "web:2"
	})
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait() // it was killed
	d.wants(t, 0, []string{"deployment/web restored", "configmap/settings deleted", "undone: what was before serves again"}, append(in, "--undo")...)
	web := must(c.typed.AppsV1().Deployments(c.namespace).Get(t.Context(), "web", metav1.GetOptions{}))(t)
	if image := web.Spec.Template.Spec.Containers[0].Image; image != "web:1" {
		t.Errorf("the image is %s", image)
	}
}

// testDeployQuota: the warning comes with the plan.
func testDeployQuota(t *testing.T, c clients, d deployer) {
	quota := corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "small"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"pods": resource.MustParse("1")}}}
	must(c.typed.CoreV1().ResourceQuotas(c.namespace).Create(t.Context(), &quota, metav1.CreateOptions{}))(t)
	eventually(t, "the quota counts", func() bool {
		now, err := c.typed.CoreV1().ResourceQuotas(c.namespace).Get(t.Context(), "small", metav1.GetOptions{})
		return err == nil && len(now.Status.Used) > 0
	})
	d.wants(t, 0, []string{"Warning: quota small leaves no room: pods 0 of 1 used, and 2 more are needed at most (deployment/web: 2 more Pods)"},
		d.write(t, "shop.yaml", shop("web:1", "")), "-n", c.namespace, "--dry-run=server")
}

// testDeployRights: who may read the set and not write it hears it before anything is sent.
func testDeployRights(t *testing.T, c clients, d deployer) {
	rights := rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "some"}, Rules: []rbacv1.PolicyRule{
		{Verbs: []string{"get", "list"}, APIGroups: []string{""}, Resources: []string{"secrets"}}, {Verbs: []string{"*"}, APIGroups: []string{""}, Resources: []string{"configmaps"}},
	}}
	must(c.typed.RbacV1().Roles(c.namespace).Create(t.Context(), &rights, metav1.CreateOptions{}))(t)
	user := c.namespace + "-some"
	binding := rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "some"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "some"},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}}}
	must(c.typed.RbacV1().RoleBindings(c.namespace).Create(t.Context(), &binding, metav1.CreateOptions{}))(t)
	as := d
	as.kubeconfig = d.write(t, "user", strings.Replace(string(must(os.ReadFile(d.kubeconfig))(t)), "user: {token", "user: {as: "+user+", token", 1))
	file := d.write(t, "settings.yaml", settings)
	as.wants(t, 2, []string{"cannot write down the set settings (--no-set deploys without)", "nothing was sent"}, file, "-n", c.namespace)
	if _, err := c.typed.CoreV1().ConfigMaps(c.namespace).Get(t.Context(), "settings", metav1.GetOptions{}); err == nil {
		t.Error("the ConfigMap was sent")
	}
	as.wants(t, 0, []string{"configmap/settings created"}, file, "-n", c.namespace, "--no-set")
}

// testDeployGoneKinds: a kind whose definition is gone leaves the set.
func testDeployGoneKinds(t *testing.T, c clients, d deployer) {
	group := c.namespace + ".example.com"
	definition := "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets." + group + "}\nspec:\n  group: " + group + "\n  scope: Namespaced\n" +
		"  names: {kind: Widget, plural: widgets, singular: widget}\n  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n"
	d.wants(t, 0, nil, d.write(t, "definition.yaml", definition), "-n", c.namespace)
	file := d.write(t, "app.yaml", settings+"apiVersion: "+group+"/v1\nkind: Widget\nmetadata: {name: w}\n")
	d.wants(t, 0, []string{"widget/w created"}, file, "-n", c.namespace)
	kinds := func() string {
		parent := must(c.typed.CoreV1().Secrets(c.namespace).Get(t.Context(), "probity.app", metav1.GetOptions{}))(t)
		return parent.Annotations["applyset.kubernetes.io/contains-group-kinds"]
	}
	if got := kinds(); got != "ConfigMap,Widget."+group {
		t.Errorf("the set has %s", got)
	}
	kubectl := exec.CommandContext(t.Context(), must(buildPrograms())(t).kubectl, "--kubeconfig", d.kubeconfig, "delete", "crd", "widgets."+group, "--timeout=60s")
	if says, err := kubectl.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, says)
	}
	d.write(t, "app.yaml", settings)
	eventually(t, "the set is narrower", func() bool {
		d.wants(t, 0, nil, file, "-n", c.namespace)
		return kinds() == "ConfigMap"
	})
}

// testFix: the printed patch is one that kubectl applies, and the finding is gone.
func testFix(t *testing.T, c clients, d deployer) {
	kubectl := must(buildPrograms())(t).kubectl
	run := func(stdin, program string, args ...string) (int, string) {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env, cmd.Stdin = append(os.Environ(), "KUBECONFIG="+d.kubeconfig), strings.NewReader(stdin)
		says, err := cmd.CombinedOutput()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return exit.ExitCode(), string(says)
		}
		return 0, string(says)
	}
	tight := strings.ReplaceAll(shop("web:1", ""), "readinessProbe:", "livenessProbe: {httpGet: {path: /livez, port: 80}, failureThreshold: 1, initialDelaySeconds: 30}, readinessProbe:")
	if code, says := run(tight, kubectl, "-n", c.namespace, "apply", "-f", "-"); code != 0 {
		t.Fatal(says)
	}
	check := func() (int, string) { return run("", d.probity, "check", "--context", "x", "-n", c.namespace) }
	if code, says := check(); code != 1 || !strings.Contains(says, "liveness-threshold-too-low") {
		t.Fatalf("check ends with %d:\n%s", code, says)
	}
	cmd := exec.CommandContext(t.Context(), d.probity, "check", "--context", "x", "-n", c.namespace, "--fix")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+d.kubeconfig)
	fix, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatal(err)
	}
	kept := `# spec.template.spec.containers[name="web"].livenessProbe.failureThreshold is kept by kubectl-client-side-apply: take it with --force-conflicts`
	if !strings.Contains(string(fix), kept) {
		t.Errorf("the fix does not say %s:\n%s", kept, fix)
	}
	apply := []string{"-n", c.namespace, "apply", "--server-side", "--field-manager=probity", "-f", "-"}
	if code, says := run(string(fix), kubectl, apply...); code == 0 || !strings.Contains(says, "conflict") {
		t.Errorf("without --force-conflicts it ends with %d:\n%s", code, says)
	}
	if code, says := run(string(fix), kubectl, append(apply, "--force-conflicts")...); code != 0 {
		t.Errorf("it ends with %d:\n%s\n%s", code, says, fix)
	}
	if _, says := check(); strings.Contains(says, "liveness-threshold-too-low") {
		t.Errorf("the finding is still there:\n%s", says)
	}
}

// testSomeNamespaces: who may read one namespace and list all has that one judged.
func testSomeNamespaces(t *testing.T, c clients, d deployer) {
	user := c.namespace + "-some"
	lists := rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: user}, Rules: []rbacv1.PolicyRule{{Verbs: []string{"list"}, APIGroups: []string{""}, Resources: []string{"namespaces"}}}}
	must(c.typed.RbacV1().ClusterRoles().Create(t.Context(), &lists, metav1.CreateOptions{}))(t)
	bind(t, c.typed, user, user, user, "*")
	bind(t, c.typed, user+"-view", user, "system:aggregate-to-view", c.namespace)
	must(c.typed.AppsV1().Deployments(c.namespace).Patch(t.Context(), "web", types.ApplyPatchType, []byte(shop("web:1", "")), metav1.PatchOptions{FieldManager: "test"}))(t)
	as := d.write(t, "user", strings.Replace(string(must(os.ReadFile(d.kubeconfig))(t)), "user: {token", "user: {as: "+user+", token", 1))
	cmd := exec.CommandContext(t.Context(), d.probity, "check", "--context", "x", "-A")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+as)
	cmd.WaitDelay = time.Minute
	says, _ := cmd.CombinedOutput() // with findings it ends with 1
	for _, want := range []string{"not seen: namespaces ", "default", " (forbidden)", " in 1 workload of 1 namespace"} {
		if !strings.Contains(string(says), want) {
			t.Errorf("check does not say %q:\n%s", want, says)
		}
	}
}
