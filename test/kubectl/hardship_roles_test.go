//go:build kubectl && cluster

package kubectl

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// testRoles: for each of the usual roles, what probity deploy and check --context do, and say.
func (h hardship) testRoles(t *testing.T) {
	admin := connectTo(t, h.cluster.Kubeconfig)
	roles := h.makeRoles(t, admin)
	const noEvents = "not seen: events (forbidden)\n"
	for name, c := range map[string]struct {
		role   string
		flags  []string // of deploy
		deploy int
		says   []string
		check  int
		head   string // of what check prints
	}{
		"nothing": {"", nil, 2, []string{"cannot read what the set shop has", "forbidden", "--no-set", "nothing was sent"}, 2, ""},
		"view":    {"view", nil, 2, []string{"cannot read what the set shop has", "forbidden", "--no-set", "nothing was sent"}, 0, ""},
		"view, no set": {"view", []string{"--no-set"}, 2, []string{
			"configmap/settings: not allowed: ", "deployment/web: not allowed: ", "cannot patch resource", "nothing was sent",
		}, 0, ""},
		"edit":                {"edit", nil, 0, []string{"deployment/web created", "up: deployment/web 2 of 2"}, 0, ""},
		"admin":               {"admin", nil, 0, []string{"deployment/web created", "up: deployment/web 2 of 2"}, 0, ""},
		"view without events": {roles.blindView, nil, 2, []string{"forbidden", "nothing was sent"}, 0, noEvents},
		"edit without events": {roles.blindEdit, nil, 0, []string{"deployment/web created", "up: deployment/web 2 of 2"}, 0, noEvents},
		"deploy only": {roles.deployOnly, []string{"--no-set"}, 3, []string{
			"deployment/web created", "the rollout goes on, and is not watched any longer: not known: cannot watch ", ", which --wait=false does without: ",
		}, 0, "not seen: statefulsets (forbidden), daemonsets (forbidden), replicasets (forbidden), "},
		"deploy only, and not watch": {roles.deployOnly, []string{"--no-set", "--wait=false"}, 0, []string{"deployment/web created"}, 0, "not seen: statefulsets (forbidden), "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := h.connect(t)
			user := in.namespace
			if c.role != "" {
				bind(t, in.typed, user, user, c.role, in.namespace)
			}
			before := settings
			if c.role == roles.deployOnly {
				before = ""
			}
			kubeconfig := kubeconfigAs(t, h.cluster, user)
			file := h.deployer(t, kubeconfig).write(t, "shop.yaml", shop("web:1", before))
			run := h.begin(t, kubeconfig, append([]string{"deploy", file, "-n", in.namespace}, c.flags...)...)
			run.wants(t, c.deploy, c.says...)
			if c.deploy == 2 {
				wantNothing(t, in)
			}
			got := ask(t, h.probity, kubeconfig, "check", "--context", "", "-n", in.namespace)
			if got.code != c.check || !strings.HasPrefix(got.out, c.head) || c.head == "" && got.out != "" || (c.check == 2) != strings.Contains(got.err, "nothing may be read") {
				t.Errorf("check ends with %d, want %d and %q:\n%s\n%s", got.code, c.check, c.head, got.out, got.err)
			}
		})
	}
}

// wantNothing expects that a refused deployment has left nothing.
func wantNothing(t *testing.T, c clients) {
	t.Helper()
	secrets := must(c.typed.CoreV1().Secrets(c.namespace).List(t.Context(), metav1.ListOptions{}))(t)
	maps := must(c.typed.CoreV1().ConfigMaps(c.namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name!=kube-root-ca.crt"}))(t)
	workloads := must(c.typed.AppsV1().Deployments(c.namespace).List(t.Context(), metav1.ListOptions{}))(t)
	if n := len(secrets.Items) + len(maps.Items) + len(workloads.Items); n > 0 {
		t.Errorf("a refused deployment has left %d objects", n)
	}
}

// madeRoles are the names of roles that Kubernetes does not bring.
type madeRoles struct{ blindView, blindEdit, deployOnly, lister string }

// makeRoles makes them, once the cluster has put together its own.
func (h hardship) makeRoles(t *testing.T, c clients) madeRoles {
	t.Helper()
	roles := c.typed.RbacV1().ClusterRoles()
	rulesOf := func(name string) (rules []rbacv1.PolicyRule) {
		eventually(t, "the role "+name+" is put together", func() bool {
			role, err := roles.Get(t.Context(), name, metav1.GetOptions{})
			if err == nil {
				rules = role.Rules
			}
			return len(rules) > 5
		})
		for i := range rules {
			rules[i].Resources = slices.DeleteFunc(rules[i].Resources, func(s string) bool { return s == "events" })
		}
		return slices.DeleteFunc(rules, func(r rbacv1.PolicyRule) bool { return len(r.Resources) == 0 })
	}
	make := func(suffix string, rules ...rbacv1.PolicyRule) string {
		role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: c.namespace + suffix}, Rules: rules}
		return must(roles.Create(t.Context(), role, metav1.CreateOptions{}))(t).Name
	}
	return madeRoles{
		blindView: make("-view", rulesOf("view")...),
		blindEdit: make("-edit", rulesOf("edit")...),
		deployOnly: make("-deploy", rbacv1.PolicyRule{
			APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"get", "list", "watch", "create", "patch"},
		}),
		lister: make("-lister", rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"list"}}),
	}
}

// testSomeNamespaces: of a cluster of which some namespaces may be read, check -A judges these, and
// names the others.
func (h hardship) testSomeNamespaces(t *testing.T) {
	one, two := connectTo(t, h.cluster.Kubeconfig), connectTo(t, h.cluster.Kubeconfig)
	user := one.namespace
	for _, c := range []clients{one, two} {
		makeIdle(t, c.typed, c.namespace)
		bind(t, c.typed, user, user, "view", c.namespace)
	}
	bind(t, one.typed, user, user, h.makeRoles(t, one).lister, "*")
	got := ask(t, h.probity, kubeconfigAs(t, h.cluster, user), "check", "--context", "", "-A")
	head, _, _ := strings.Cut(got.out, "\n")
	if got.code != 0 || !strings.HasPrefix(head, "not seen: namespaces ") || !strings.Contains(head, "default") || !strings.HasSuffix(head, " (forbidden)") {
		t.Errorf("check -A ends with %d:\n%s\n%s", got.code, got.out, got.err)
	}
	if strings.Contains(head, one.namespace) || strings.Contains(head, two.namespace) || !strings.Contains(got.err, " in 2 workloads of 2 namespaces") {
		t.Errorf("it does not judge what may be read:\n%s\n%s", got.out, got.err)
	}
}

// makeIdle makes a Deployment without Pods.
func makeIdle(t *testing.T, client kubernetes.Interface, namespace string) {
	t.Helper()
	labels := map[string]string{"app": "idle"}
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "idle"}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(0)), Selector: &metav1.LabelSelector{MatchLabels: labels}}}
	d.Spec.Template.Labels = labels
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "idle", Image: "idle"}}
	must(client.AppsV1().Deployments(namespace).Create(t.Context(), d, metav1.CreateOptions{}))(t)
}
