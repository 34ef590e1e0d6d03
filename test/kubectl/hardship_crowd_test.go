//go:build kubectl && cluster

package kubectl

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd/api"
)

const (
	crowd = 500 // Pods
	// crowdMemory is what probity deploy may need to follow them.
	crowdMemory = 100 << 20
	// crowdRequests is how many requests it may make, beside two for each object.
	crowdRequests = 30
)

// testCrowd: a rollout of many Pods is followed in little memory, and nothing is listed twice.
func (h hardship) testCrowd(t *testing.T) {
	c := connectTo(t, h.cluster.Kubeconfig)
	playCrowd(t, c)
	counted := h.kubeconfig(t, func(_ *api.Cluster, user *api.AuthInfo) { user.Token = countedToken })
	d := h.deployer(t, counted)
	file := d.write(t, "crowd.yaml", settings+crowdManifest())
	run := h.begin(t, counted, "deploy", file, "-n", c.namespace)
	run.wants(t, 0, fmt.Sprintf("up: deployment/web %d of %[1]d", crowd))
	requests := h.requestsOf(t, "probity", c.namespace)
	events := must(c.protobuf.CoreV1().Events(c.namespace).List(t.Context(), metav1.ListOptions{}))(t)
	t.Logf("%d Pods and %d Events followed: %d MB at most, %v of processors in %v, %d requests", crowd, len(events.Items), run.memory()>>20,
		run.ProcessState.UserTime()+run.ProcessState.SystemTime(), run.took(), len(requests))
	if run.memory() > crowdMemory {
		t.Errorf("it needs %d MB, and may need %d MB", run.memory()>>20, crowdMemory>>20)
	}
	const objects = 2
	asked := map[string]int{}
	for _, r := range requests {
		asked[r]++
		if strings.HasPrefix(r, "list ") && asked[r] > 1 {
			t.Errorf("it lists twice: %s", r)
		}
	}
	// what the server has ended is watched again, which it does if a reader is too slow for it
	if len(asked) > crowdRequests+2*objects || len(asked) < 3*objects {
		t.Errorf("it makes %d requests:\n%s", len(requests), strings.Join(requests, "\n"))
	}
}

// took is how long it ran, as far as its lines tell.
func (c *command) took() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said[len(c.said)-1].at.Sub(c.said[0].at).Round(10 * time.Millisecond)
}

// requestsOf are those of the counted user for a namespace or for no namespace, by the audit log:
// the verb and what is asked for. All have to name a program.
func (h hardship) requestsOf(t *testing.T, agent, namespace string) (all []string) {
	t.Helper()
	file := must(os.Open(filepath.Join(h.cluster.dir, auditLog)))(t)
	defer file.Close() // it was only read
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var entry struct {
			Stage, Verb, RequestURI, UserAgent string
		}
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Verb == "watch" && entry.Stage != "ResponseStarted" || entry.Verb != "watch" && entry.Stage != "ResponseComplete" {
			continue
		}
		if strings.Contains(entry.RequestURI, "/namespaces/") && !strings.Contains(entry.RequestURI, "/namespaces/"+namespace+"/") {
			continue
		}
		if !strings.HasPrefix(entry.UserAgent, agent) {
			t.Errorf("%s says of itself that it is %q", entry.RequestURI, entry.UserAgent)
		}
		of := entry.RequestURI
		if entry.Verb == "watch" { // of whatever version
			of, _, _ = strings.Cut(of, "?")
		}
		all = append(all, entry.Verb+" "+of)
	}
	return all
}

// crowdManifest is a Deployment of many Pods whose template is as long as people's are.
func crowdManifest() string {
	var env strings.Builder
	for i := range 30 {
		fmt.Fprintf(&env, "\n        - {name: SETTING_%d, value: a value of a length that is usual for settings}", i)
	}
	return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ` + fmt.Sprint(crowd) + `
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: web:1
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /readyz, port: 8080}}
        env:` + env.String() + "\n"
}

// playCrowd is a scheduler and the kubelets of ten nodes until the test ends: Pods are bound, run,
// and are ready once fifty of them run or no more come, with two Events each.
func playCrowd(t *testing.T, c clients) {
	t.Helper()
	for i := range 10 {
		makeNode(t, c, fmt.Sprintf("%s-node-%d", c.namespace, i))
	}
	ctx, stop := context.WithCancel(t.Context())
	var playing sync.WaitGroup
	t.Cleanup(func() { stop(); playing.Wait() })
	pods := make(chan *corev1.Pod, 2*crowd)
	playing.Go(func() {
		defer close(pods)
		seen := map[string]bool{}
		for ctx.Err() == nil {
			watching, err := c.protobuf.CoreV1().Pods(c.namespace).Watch(ctx, metav1.ListOptions{})
			if err != nil {
				continue
			}
			for change := range watching.ResultChan() {
				if pod, ok := change.Object.(*corev1.Pod); ok && !seen[pod.Name] {
					seen[pod.Name] = true
					pods <- pod
				}
			}
		}
	})
	for worker := range 8 {
		playing.Go(func() {
			for pod := range pods {
				if err := playOne(ctx, c.protobuf, pod, fmt.Sprintf("%s-node-%d", c.namespace, worker)); err != nil && ctx.Err() == nil {
					t.Errorf("pod/%s: %v", pod.Name, err)
				}
			}
		})
	}
}

// playOne brings a Pod up in the steps in which a kubelet does.
func playOne(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, node string) error {
	pods := client.CoreV1().Pods(pod.Namespace)
	to := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: pod.Name}, Target: corev1.ObjectReference{Kind: "Node", Name: node}}
	if err := pods.Bind(ctx, to, metav1.CreateOptions{}); err != nil {
		return err
	}
	for i, reason := range []string{"Scheduled", "Pulled"} {
		event := &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Name: fmt.Sprintf("%s.%d", pod.Name, i)},
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", APIVersion: "v1", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
			Reason:         reason, Message: "as a node would say it", Type: "Normal", Count: 1, FirstTimestamp: metav1.Now(), LastTimestamp: metav1.Now(),
		}
		if _, err := client.CoreV1().Events(pod.Namespace).Create(ctx, event, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	for _, ready := range []bool{false, true} {
		now, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		now.Status = played(now)
		for i := range now.Status.Conditions {
			if name := now.Status.Conditions[i].Type; !ready && (name == corev1.PodReady || name == corev1.ContainersReady) {
				now.Status.Conditions[i].Status, now.Status.ContainerStatuses[0].Ready = corev1.ConditionFalse, false
			}
		}
		if _, err := pods.UpdateStatus(ctx, now, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// makeNode makes a node that is ready.
func makeNode(t *testing.T, c clients, name string) {
	t.Helper()
	must(c.typed.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}))(t)
	t.Cleanup(func() {
		if err := c.typed.CoreV1().Nodes().Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
			t.Logf("cannot delete the node: %v", err)
		}
	})
	reportNode(t, c, name, "True", "KubeletReady", time.Now())
}

// reportNode sets whether a node is ready, by a patch: controllers write it too.
func reportNode(t *testing.T, c clients, name, ready, reason string, heard time.Time) {
	t.Helper()
	const patch = `{"status":{"allocatable":{"cpu":"2"},"conditions":[{"type":"Ready","status":%q,"reason":%q,"lastHeartbeatTime":%q,"lastTransitionTime":%q}]}}`
	now := heard.UTC().Format(time.RFC3339)
	body := fmt.Appendf(nil, patch, ready, reason, now, now)
	must(c.typed.CoreV1().Nodes().Patch(t.Context(), name, types.StrategicMergePatchType, body, metav1.PatchOptions{}, "status"))(t)
}
