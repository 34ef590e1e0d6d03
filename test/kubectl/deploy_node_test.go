//go:build kubectl

package kubectl

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// deployer runs probity deploy on a server.
type deployer struct {
	probity, kubeconfig, dir string
}

func newDeployer(t *testing.T, kubeconfig string) deployer {
	t.Helper()
	programs, err := buildPrograms()
	if err != nil {
		t.Fatal(err)
	}
	return deployer{programs.probity, kubeconfig, t.TempDir()}
}

// write makes a manifest and returns its path.
func (d deployer) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run returns the exit code and all that it says.
func (d deployer) run(t *testing.T, args ...string) (code int, says string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), d.probity, append([]string{"deploy", "--kubeconfig", d.kubeconfig}, args...)...)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), string(out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, string(out)
}

// wants runs it, and expects an exit code and texts in what it says.
func (d deployer) wants(t *testing.T, code int, texts []string, args ...string) {
	t.Helper()
	got, says := d.run(t, args...)
	if got != code {
		t.Errorf("deploy %s ends with %d, want %d:\n%s", strings.Join(args, " "), got, code, says)
	}
	for _, text := range texts {
		if !strings.Contains(says, text) {
			t.Errorf("deploy %s does not say %q:\n%s", strings.Join(args, " "), text, says)
		}
	}
}

// playNode runs the Pods of a namespace in name only until the test ends: each becomes ready, but
// for those whose image is "absent".
func playNode(t *testing.T, client *kubernetes.Clientset, namespace string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	t.Cleanup(func() { stop(); <-ended })
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			watching, err := client.CoreV1().Pods(namespace).Watch(ctx, metav1.ListOptions{})
			if err != nil {
				continue
			}
			for change := range watching.ResultChan() {
				if pod, ok := change.Object.(*corev1.Pod); ok && pod.Status.Phase == corev1.PodPending && pod.DeletionTimestamp == nil && len(pod.Status.ContainerStatuses) == 0 {
					pod.Status = played(pod)
					_, _ = client.CoreV1().Pods(namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{}) // another change is seen, too
				}
			}
		}
	}()
}

// played is the status that a kubelet would report.
func played(pod *corev1.Pod) corev1.PodStatus {
	now := metav1.NewTime(time.Now())
	ready := corev1.ConditionTrue
	status := corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1", StartTime: &now}
	for _, container := range pod.Spec.Containers {
		s := corev1.ContainerStatus{Name: container.Name, Image: container.Image, Ready: true, Started: new(true), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}}
		if container.Image == "absent" {
			ready, status.Phase = corev1.ConditionFalse, corev1.PodPending
			s.Ready, s.Started = false, new(false)
			s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImageNeverPull", Message: `Container image "absent" is not present with pull policy of Never`}}
		}
		status.ContainerStatuses = append(status.ContainerStatuses, s)
	}
	for _, name := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized} {
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: name, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	for _, name := range []corev1.PodConditionType{corev1.ContainersReady, corev1.PodReady} {
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: name, Status: ready, LastTransitionTime: now})
	}
	return status
}

// shop is a Deployment with an image, and what comes before it.
func shop(image, before string) string {
	return before + `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {probity.run/command.web: sleep 1000, probity.run/ignore.probe-cannot-fail: a test}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: ` + image + `, imagePullPolicy: Never, readinessProbe: {exec: {command: ["true"]}, periodSeconds: 1}}]
`
}

const settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n---\n"

// TestDeployToRun: a run is a server like a cluster: what is deployed there comes up, and a second
// deployment changes nothing.
func TestDeployToRun(t *testing.T) {
	if os.Getenv(kubeconfigVariable) != "" {
		t.Skip("on a cluster it is TestClusterDeploy")
	}
	kubeconfig, _ := startServer(t, t.TempDir())
	d := newDeployer(t, kubeconfig)
	file := d.write(t, "shop.yaml", shop("web:1", settings))
	d.wants(t, 0, []string{"configmap/settings created", "deployment/web created", "up: deployment/web 2 of 2"}, file)
	d.wants(t, 0, []string{"configmap/settings unchanged", "deployment/web unchanged", "up: deployment/web 2 of 2"}, file)
	d.write(t, "shop.yaml", shop("web:1", ""))
	d.wants(t, 0, []string{"configmap/settings is not in the files any more", "default/configmap/settings pruned"}, file, "--prune", "--yes")
}
