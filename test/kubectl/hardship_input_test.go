//go:build kubectl && cluster

package kubectl

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd/api"
)

// testInput: what cannot work is told in one message that says what to do, with the exit code of
// bad input, and nothing of the files is sent.
func (h hardship) testInput(t *testing.T) {
	good := h.cluster.Kubeconfig
	text := func(text string) func(*testing.T) string {
		return func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "kubeconfig")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
	}
	changed := func(change func(*api.Cluster, *api.AuthInfo)) func(*testing.T) string {
		return func(t *testing.T) string { return h.kubeconfig(t, change) }
	}
	is := func(path string) func(*testing.T) string { return func(*testing.T) string { return path } }
	for name, c := range map[string]struct {
		kubeconfig func(*testing.T) string
		file       string // after a ConfigMap that is good
		flags      []string
		says       []string
		check      bool // whether check --context says so, too
	}{
		"no kubeconfig":      {is("/nowhere/kubeconfig"), "", nil, []string{"no kubeconfig tells which cluster is meant: set $KUBECONFIG, or write ~/.kube/config", "/nowhere/kubeconfig"}, true},
		"a strange file":     {text("kind: Config\n- x"), "", nil, []string{"cannot read the kubeconfig"}, true},
		"an unknown context": {is(good), "", []string{"--context", "prod"}, []string{`context "prod" does not exist`}, false},
		"an unreachable server": {
			changed(func(c *api.Cluster, _ *api.AuthInfo) { c.Server = "https://127.0.0.1:1" }), "", nil, []string{"https://127.0.0.1:1", "connection refused"}, true,
		},
		"a certificate that nobody knows": {
			changed(func(c *api.Cluster, _ *api.AuthInfo) { c.InsecureSkipTLSVerify = false }), "", nil, []string{"has a certificate of an unknown authority"}, true,
		},
		"a server that is none": {
			func(t *testing.T) string {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
				t.Cleanup(server.Close)
				return h.over(t, server.URL)
			}, "", nil, []string{"cannot read what the server answers"}, true,
		},
		"an expired token": {
			changed(func(_ *api.Cluster, u *api.AuthInfo) { u.Token = "expired" }), "", nil, []string{"does not take the credentials of the kubeconfig, which are wrong or have expired (log in to the cluster again): Unauthorized"}, true,
		},
		"no plugin": {
			changed(func(_ *api.Cluster, u *api.AuthInfo) {
				u.Token, u.Exec = "", &api.ExecConfig{APIVersion: "client.authentication.k8s.io/v1", Command: "no-such-plugin", InteractiveMode: api.NeverExecInteractiveMode, InstallHint: "ask the moon"}
			}), "", nil, []string{"no-such-plugin not found", "ask the moon"}, true,
		},
		"a forbidden namespace":    {changed(func(_ *api.Cluster, u *api.AuthInfo) { u.Impersonate = "nobody" }), "", nil, []string{"forbidden"}, true},
		"no such namespace":        {is(good), "", []string{"-n", "nowhere"}, []string{`namespaces "nowhere" not found`}, false},
		"no such file":             {is(good), "", []string{"nowhere.yaml"}, []string{"nowhere.yaml", "no such file"}, false},
		"nothing in the file":      {is(good), "-", nil, []string{"nothing in it: expected at least one Kubernetes object"}, false},
		"no YAML":                  {is(good), "a: [", nil, []string{"shop.yaml:6:1: not valid YAML"}, false},
		"a field that is unknown":  {is(good), "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {port: 80}", nil, []string{"shop.yaml:9:8: ", "spec.port: unknown field, did you mean ports?", "nothing was sent"}, false},
		"a number that is none":    {is(good), "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: {defaultBackend: {service: {name: a, port: {number: x}}}}", nil, []string{"shop.yaml:6: ingress/a: "}, false},
		"a name that is none":      {is(good), "apiVersion: v1\nkind: Secret\nmetadata: {name: A_B}", nil, []string{"A_B", "RFC 1123"}, false},
		"no name":                  {is(good), "apiVersion: v1\nkind: Secret\nmetadata: {generateName: a-}", nil, []string{"an object that is applied needs a name"}, false},
		"the same twice":           {is(good), settings, nil, []string{"is there twice, at "}, false},
		"another namespace":        {is(good), "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: other}", nil, []string{"is of namespace other, and --namespace says "}, false},
		"a newer cluster's kind":   {is(good), "apiVersion: apps/v2\nkind: Deployment\nmetadata: {name: a}", nil, []string{"apps/v2", "apps/v1"}, false},
		"an older cluster's kind":  {is(good), "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}", nil, []string{"the server does not serve PodDisruptionBudget of policy/v1beta1: write apiVersion: policy/v1"}, false},
		"a kind of an older group": {is(good), "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}", nil, []string{"the server knows no Ingress of extensions/v1beta1"}, false},
		"a kind that nobody knows": {is(good), "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}", nil, []string{"the server knows no Widget of example.com/v1: is its CustomResourceDefinition installed?"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := connectTo(t, good)
			kubeconfig := c.kubeconfig(t)
			d := h.deployer(t, kubeconfig)
			manifest := settings + c.file + "\n"
			if c.file == "-" {
				manifest = "# nothing\n"
			}
			flags := c.flags
			if !strings.Contains(strings.Join(flags, " "), "-n ") {
				flags = append([]string{"-n", in.namespace}, flags...)
			}
			got := ask(t, h.probity, kubeconfig, append([]string{"deploy", d.write(t, "shop.yaml", manifest)}, flags...)...)
			wantMessage(t, got, c.says)
			wantNothing(t, in)
			if c.check {
				got := ask(t, h.probity, kubeconfig, "check", "--context", "", "-n", in.namespace)
				wantMessage(t, got, c.says)
			}
		})
	}
}

// wantMessage expects one message on standard error, with texts, and the exit code of bad input.
func wantMessage(t *testing.T, got asked, texts []string) {
	t.Helper()
	if got.code != 2 || strings.Count(got.err, "probity: ") != 1 {
		t.Errorf("it ends with %d:\n%s", got.code, got.err)
	}
	for _, text := range texts {
		if !strings.Contains(got.err, text) {
			t.Errorf("it does not say %q:\n%s", text, got.err)
		}
	}
}
