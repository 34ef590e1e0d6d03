package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// clusterCommands are the command lines that ask a cluster, without the flags that name it.
func clusterCommands() [][]string {
	return [][]string{
		{"ps"}, {"logs"}, {"events"}, {"describe", "web"}, {"restart", "web"}, {"scale", "web", "--replicas=1"}, {"rollout", "status", "web"}, {"rollout", "undo", "web"},
		{"wait", "web"}, {"port-forward", "web", "80"}, {"delete", "web"}, {"exec", "web", "--", "ls"},
	}
}

// kubeconfigAt writes a kubeconfig of a server.
func kubeconfigAt(t *testing.T, server string) string {
	t.Helper()
	return tempFile(t, fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: %q}}]\nusers: [{name: u, user: {token: x}}]\n"+
		"contexts: [{name: staging, context: {cluster: c, user: u, namespace: shop}}, {name: prod, context: {cluster: c, user: u}}]\ncurrent-context: staging\n", server))
}

func tempFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// refusing serves an API that answers each request with a Status; without a reason with a page.
func refusing(t *testing.T, code int, reason metav1.StatusReason, message string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		if reason == "" {
			fmt.Fprintln(w, message)
			return
		}
		_ = json.NewEncoder(w).Encode(metav1.Status{ // the client sees to it
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message,
		})
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestClusterTrouble: why a cluster cannot be asked is said by each command in the same words, on
// one line, with the same exit code: 2 if the kubeconfig leads to none, 1 if the server does not
// answer or refuses.
func TestClusterTrouble(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	folder := t.TempDir()
	encrypted := httptest.NewUnstartedServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0) // nobody trusts it
	encrypted.StartTLS()
	t.Cleanup(encrypted.Close)
	stranger, page := refusing(t, http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized"), refusing(t, http.StatusNotFound, "", "404 page\nnot found")
	forbidding := refusing(t, http.StatusForbidden, metav1.StatusReasonForbidden, `services is forbidden: User "jane" cannot list resource "services"`)
	all := "may not list services, deployments, statefulsets, replicasets, pods in "
	for name, test := range map[string]struct {
		flags []string
		code  int
		want  string
	}{
		"no kubeconfig":        {[]string{"--context="}, 2, "no kubeconfig tells which cluster is meant: set $KUBECONFIG, or write ~/.kube/config (read: "},
		"a kubeconfig missing": {[]string{"--kubeconfig=" + folder + "/none"}, 2, "cannot read the kubeconfig: stat " + folder + "/none: no such file or directory"},
		"no file":              {[]string{"--kubeconfig=" + folder}, 2, "cannot read the kubeconfig: "},
		"not YAML":             {[]string{"--kubeconfig=" + tempFile(t, "{\nx")}, 2, "cannot read the kubeconfig: error loading config file "},
		"another type":         {[]string{"--kubeconfig=" + tempFile(t, "clusters: x")}, 2, "cannot read the kubeconfig: error loading config file "},
		"empty":                {[]string{"--kubeconfig=" + tempFile(t, "")}, 2, "no kubeconfig tells which cluster is meant: set $KUBECONFIG, or write ~/.kube/config (read: "},
		"an unknown context":   {[]string{"--kubeconfig=" + kubeconfigAt(t, "https://127.0.0.1:1"), "--context=east"}, 2, `cannot use the kubeconfig: context "east" does not exist; there are prod, staging`},
		"a slip":               {[]string{"--kubeconfig=" + kubeconfigAt(t, "https://127.0.0.1:1"), "--context=prd"}, 2, `cannot use the kubeconfig: context "prd" does not exist, did you mean prod?`},
		"no current context": {[]string{"--kubeconfig=" + tempFile(t, "contexts: [{name: a, context: {}}, {name: b, context: {}}]")}, 2,
			"cannot use the kubeconfig: it has no current context: name one with --context; there are a, b"},
		"nobody listens":       {[]string{"--kubeconfig=" + kubeconfigAt(t, "https://127.0.0.1:1")}, 1, "cannot ask the cluster: https://127.0.0.1:1 does not answer: connection refused"},
		"not trusted":          {[]string{"--kubeconfig=" + kubeconfigAt(t, encrypted.URL)}, 1, "cannot ask the cluster: " + encrypted.URL + " has a certificate of an unknown authority"},
		"no TLS":               {[]string{"--kubeconfig=" + kubeconfigAt(t, strings.Replace(page, "http", "https", 1))}, 1, " does not speak TLS (see server in the kubeconfig)"},
		"unauthorized":         {[]string{"--kubeconfig=" + kubeconfigAt(t, stranger)}, 1, "cannot ask the cluster: " + stranger + " does not take the credentials of the kubeconfig, which are wrong or have expired (log in to the cluster again): Unauthorized"},
		"forbidden":            {[]string{"--kubeconfig=" + kubeconfigAt(t, forbidding)}, 1, "cannot ask the cluster: " + all + `namespace shop: services is forbidden: User "jane"`},
		"something else":       {[]string{"--kubeconfig=" + kubeconfigAt(t, page)}, 1, "cannot ask the cluster: " + page + " serves no services, as the API of Kubernetes does (see server in the kubeconfig): the server answers 404 Not Found: 404 page not found"},
		"forbidden everywhere": {[]string{"--kubeconfig=" + kubeconfigAt(t, forbidding), "-A"}, 1, "cannot ask the cluster: " + all + "all namespaces; try one with -n: services is forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, words := range clusterCommands() {
				everywhere := words[0] == "ps" || words[0] == "logs" || words[0] == "events"
				if name == "forbidden everywhere" && !everywhere {
					continue
				}
				args := append(append([]string{words[0]}, test.flags...), words[1:]...)
				if words[0] == "rollout" {
					args = append(append([]string{words[0], words[1]}, test.flags...), words[2:]...)
				}
				var out, problems bytes.Buffer
				code := Main(t.Context(), Streams{In: strings.NewReader(""), Out: &out, Err: &problems}, args)
				text := problems.String()
				if code != test.code || !strings.HasPrefix(text, "probity: ") || !strings.Contains(text, test.want) || strings.Count(text, "\n") != 1 {
					t.Errorf("%v: exit code %d, want %d, with %q, want %q", args, code, test.code, text, test.want)
				}
				if out.Len() > 0 {
					t.Errorf("%v prints %q", args, &out)
				}
			}
		})
	}
}

// TestCheckAndDeployTrouble: they say the same of a cluster that cannot be asked, where nothing is
// done, so the exit code is 2.
func TestCheckAndDeployTrouble(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	stranger := refusing(t, http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized")
	file := tempFile(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
	for name, test := range map[string]struct {
		flags []string
		want  string
	}{
		"an unknown context": {[]string{"--kubeconfig=" + kubeconfigAt(t, stranger), "--context=east"}, `cannot use the kubeconfig: context "east" does not exist; there are prod, staging`},
		"nobody listens":     {[]string{"--kubeconfig=" + kubeconfigAt(t, "https://127.0.0.1:1")}, "https://127.0.0.1:1 does not answer: connection refused"},
		"unauthorized":       {[]string{"--kubeconfig=" + kubeconfigAt(t, stranger)}, stranger + " does not take the credentials of the kubeconfig, which are wrong or have expired (log in to the cluster again): Unauthorized"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, words := range [][]string{{"check"}, {"deploy", file}} {
				args := append(words, test.flags...)
				var out, problems bytes.Buffer
				code := Main(t.Context(), Streams{In: strings.NewReader(""), Out: &out, Err: &problems}, args)
				if text := problems.String(); code != ExitUsage || !strings.Contains(text, test.want) {
					t.Errorf("%v: exit code %d with %q, want %q", args, code, text, test.want)
				}
			}
		})
	}
}
