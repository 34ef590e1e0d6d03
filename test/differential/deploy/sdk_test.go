//go:build kubelet && linux

package deploy

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/service"
)

// python is Debian's, as everywhere in CI.
const python = "/usr/bin/python3"

// deployPy deploys the service of calculatorService, and tells how that went: the class of the
// error, its words, and the files of the package that are in its traceback.
//
//go:embed testdata/deploy.py
var deployPy string

// calculatorService is the calculator in TrueFoundry's vocabulary.
func calculatorService(name string) service.Service {
	return service.Service{
		Name:           name,
		Image:          service.Image{ImageURI: calculatorImage, Command: []string{"/calculator", "-weights-size", "4MiB"}},
		Ports:          []service.Port{{Port: 8080}},
		Replicas:       service.Count(1),
		Env:            map[string]string{"PORT": "8080"},
		StartupProbe:   &service.HealthProbe{Config: service.HttpProbe{Path: "/startupz", Port: 8080}, PeriodSeconds: 1, FailureThreshold: 100},
		ReadinessProbe: &service.HealthProbe{Config: service.HttpProbe{Path: "/readyz", Port: 8080}, PeriodSeconds: 2},
		LivenessProbe:  &service.HealthProbe{Config: service.HttpProbe{Path: "/livez", Port: 8080}, TimeoutSeconds: 5},
		Resources:      &service.Resources{CPURequest: 0.01, CPULimit: 1, MemoryRequest: 10},
	}
}

// inPython runs testdata/deploy.py, and returns what it prints.
func inPython(t *testing.T, kubeconfig, namespace, name string) string {
	t.Helper()
	if _, err := os.Stat(python); err != nil {
		t.Skipf("NOT TESTED: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), python, write(t, "deploy.py", deployPy), name, namespace, calculatorImage)
	package_, err := filepath.Abs(filepath.Join(root, "python"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH="+package_, "PROBITY="+site.probity, "KUBECONFIG="+kubeconfig)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// TestSDKUp: what both SDKs deploy is Ready on the kubelet, and what one has deployed is the same
// to the other.
func TestSDKUp(t *testing.T) {
	t.Parallel()
	in := namespace(t, "sdk")
	if err := site.OfferStorage(t.Context()); err != nil {
		t.Fatal(err)
	}
	target := service.Target{Kubeconfig: site.Kubeconfig(), Namespace: in}
	var told []string
	wait := func(d *service.Deployment) {
		t.Helper()
		if err := d.Wait(t.Context(), service.WaitOptions{Timeout: 5 * time.Minute, Progress: func(line string) { told = append(told, line); t.Log(line) }}); err != nil {
			t.Fatalf("%v\n%s", err, strings.Join(told, "\n"))
		}
	}
	deployment, err := calculatorService("go").Deploy(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	defer deployment.Close()
	wait(deployment)
	if last := told[len(told)-1]; !strings.HasPrefix(last, "up: deployment/go 1 of 1") {
		t.Errorf("progress ends with %q", last)
	}
	says := inPython(t, site.Kubeconfig(), in, "python")
	for _, want := range []string{"deploying to x\n", "deployment python created\n", "deployment python is up\n", "deployed: x default deployment/python service/python\n"} {
		if !strings.Contains(says, want) {
			t.Errorf("Python does not say %q:\n%s", want, says)
		}
	}
	again, err := calculatorService("python").Deploy(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if want := "service/python unchanged deployment/python unchanged"; strings.Join(again.Applied, " ") != want {
		t.Errorf("of what Python deployed, Go has changed %q", again.Applied)
	}
	wait(again)
	serves(t, in, 2)
}

// refusal is why a cluster does not take a service, or does not bring it up.
type refusal struct {
	prepare func(t *testing.T, namespace string) (kubeconfig string)
	// goError and pythonError are the types of the errors, and says is what both say.
	goError, pythonError, says string
}

func refusals() map[string]refusal {
	admin := func(prepare func(t *testing.T, namespace string)) func(*testing.T, string) string {
		return func(t *testing.T, namespace string) string {
			prepare(t, namespace)
			return site.Kubeconfig()
		}
	}
	changed := func(old, new string) func(*testing.T, string) string {
		return func(t *testing.T, _ string) string {
			data, err := os.ReadFile(site.Kubeconfig())
			if err != nil {
				t.Fatal(err)
			}
			return write(t, "kubeconfig", strings.Replace(string(data), old, new, 1))
		}
	}
	const refused, unreachable, conflict = "RefusedError", "UnreachableError", "deployment/web spec.replicas is kept by "
	return map[string]refusal{
		"conflict":       {admin(scaled), refused, refused, conflict},
		"quota":          {admin(without("deployments.apps")), refused, refused, "exceeded quota: none"},
		"forbidden":      {changed("user: {", "user: {as: nobody, "), refused, refused, "forbidden"},
		"unauthorized":   {changed("token: ", "token: not-"), refused, refused, "Unauthorized"},
		"no-answer":      {changed("https://", "https://127.0.0.1:1/"), unreachable, unreachable, "connection refused"},
		"no-kubeconfig":  {func(t *testing.T, _ string) string { return filepath.Join(t.TempDir(), "absent") }, unreachable, unreachable, "kubeconfig"},
		"bad-kubeconfig": {func(t *testing.T, _ string) string { return write(t, "kubeconfig", "clusters: [") }, unreachable, unreachable, "cannot read the kubeconfig"},
		"admission":      {admin(restricted), "NotUpError", "NotReadyError", `violates PodSecurity "restricted:latest"`},
	}
}

// TestSDKRefused: what a cluster has against a service is an error of the type that tells it, for
// Go and Python alike, in the cluster's words.
func TestSDKRefused(t *testing.T) {
	t.Parallel()
	for name, r := range refusals() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := namespace(t, "sdk-"+name)
			kubeconfig := r.prepare(t, in)
			got, says := inGo(t, kubeconfig, in)
			if got != r.goError || !strings.Contains(says, r.says) {
				t.Errorf("Go: %s, want %s with %q:\n%s", got, r.goError, r.says, says)
			}
			says = inPython(t, kubeconfig, in, "web")
			if !strings.Contains(says, "\nerror: "+r.pythonError+"\n") && !strings.HasPrefix(says, "error: "+r.pythonError+"\n") || !strings.Contains(says, r.says) {
				t.Errorf("Python: want %s with %q:\n%s", r.pythonError, r.says, says)
			}
			if !strings.HasSuffix(says, "\nframes: deploy.py service.py\n") {
				t.Errorf("Python shows more of our insides than deploy:\n%s", says)
			}
		})
	}
}

// inGo deploys the service web and waits, and returns the type of the error and what it says.
func inGo(t *testing.T, kubeconfig, namespace string) (kind, says string) {
	t.Helper()
	deployment, err := calculatorService("web").Deploy(t.Context(), service.Target{Kubeconfig: kubeconfig, Namespace: namespace})
	if err == nil {
		defer deployment.Close()
		err = deployment.Wait(t.Context(), service.WaitOptions{})
	}
	if err == nil {
		t.Fatal("Go: it is up")
	}
	for kind, is := range map[string]bool{
		"RefusedError": isError[*service.RefusedError](err), "UnreachableError": isError[*service.UnreachableError](err), "NotUpError": isError[*service.NotUpError](err),
	} {
		if is {
			return kind, err.Error()
		}
	}
	return fmt.Sprintf("%T", err), err.Error()
}

func isError[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// scaled has somebody else keep the replicas of web.
func scaled(t *testing.T, namespace string) {
	deployment, err := calculatorService("web").Deploy(t.Context(), service.Target{Kubeconfig: site.Kubeconfig(), Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	deployment.Close()
	out, err := exec.CommandContext(t.Context(), site.probity, "scale", "deployment/web", "--replicas=2", "--kubeconfig", site.Kubeconfig(), "-n", namespace).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// without has a quota that leaves no room for a resource, and waits until the server keeps to it.
func without(resource string) func(t *testing.T, namespace string) {
	return func(t *testing.T, namespace string) {
		const other = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other}\nspec: {selector: {matchLabels: {app: other}}, template: {metadata: {labels: {app: other}}, spec: {containers: [{name: other, image: a}]}}}\n"
		quota := write(t, "quota.yaml", "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none}\nspec: {hard: {count/"+resource+": 0}}\n")
		wants(t, 0, nil, quota, "-n", namespace)
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
		defer stop()
		for file := write(t, "other.yaml", other); ; {
			code, says := deploy(t, file, "-n", namespace, "--no-set", "--dry-run=server")
			if code == 2 && strings.Contains(says, "exceeded quota: none") {
				return
			}
			if ctx.Err() != nil {
				t.Fatalf("the quota has no effect:\n%s", says)
			}
		}
	}
}

// restricted has a namespace that takes no Pod of a service.
func restricted(t *testing.T, namespace string) {
	wants(t, 0, nil, write(t, "namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+namespace+", labels: {pod-security.kubernetes.io/enforce: restricted}}\n"), "--no-set")
}
