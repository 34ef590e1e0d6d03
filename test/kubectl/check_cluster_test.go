//go:build kubectl && cluster

package kubectl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// What probity check may need for a cluster of this size.
const (
	filledDeployments = 500
	podsEach          = 10
	eventsEach        = 10 // of a Pod
	checkTime         = 10 * time.Second
	checkMemory       = 150 << 20
)

// TestClusterCheck: check of what runs in a cluster of 5,000 Pods and 50,000 Events is done in time
// and without much memory, sees what has happened, and says what a role may not see.
func TestClusterCheck(t *testing.T) {
	cluster := startCluster(t)
	defer func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	}()
	probity := must(BuildProbity(t.Context(), folder))(t)
	config := must(clientcmd.BuildConfigFromFlags("", cluster.Kubeconfig))(t)
	config.QPS, config.Burst, config.ContentType = 10_000, 10_000, "application/vnd.kubernetes.protobuf"
	client := must(kubernetes.NewForConfig(config))(t)
	began := time.Now()
	fill(t, client)
	t.Logf("filled with %d Pods and %d Events in %v", filledDeployments*podsEach, filledDeployments*podsEach*eventsEach, time.Since(began).Round(time.Second))
	t.Run("all", func(t *testing.T) { checkAll(t, probity, cluster) })
	t.Run("roles", func(t *testing.T) { checkRoles(t, probity, cluster, client) })
}

// asked is what a run of probity has said.
type asked struct {
	out, err string
	code     int
	took     time.Duration
	computed time.Duration // by its processors
	memory   int64         // the most, in bytes
}

func ask(t *testing.T, probity, kubeconfig string, args ...string) asked {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), probity, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	began := time.Now()
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	computed := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return asked{out.String(), stderr.String(), cmd.ProcessState.ExitCode(), time.Since(began), computed, usage.Maxrss << 10}
}

func checkAll(t *testing.T, probity string, cluster *Cluster) {
	got := ask(t, probity, cluster.Kubeconfig, "check", "--context", "", "-A", "-o", "json")
	t.Logf("took %v, %v of processors, and %d MB at most: %s", got.took.Round(time.Millisecond), got.computed.Round(time.Millisecond), got.memory>>20, strings.TrimSpace(got.err))
	if got.computed > checkTime || got.memory > checkMemory { // others may use the machine meanwhile
		t.Errorf("it took %v of processors and %d MB, and may take %v and %d MB", got.computed, got.memory>>20, checkTime, checkMemory>>20)
	}
	var report struct {
		Workloads int
		NotSeen   []string
		Findings  []struct{ Rule, Severity, Name, Basis, Seen string }
	}
	if err := json.Unmarshal([]byte(got.out), &report); err != nil {
		t.Fatalf("%v: %s", err, got.err)
	}
	if report.Workloads != filledDeployments || len(report.NotSeen) > 0 || got.code != 1 {
		t.Errorf("judged %d workloads, did not see %v, exit code %d", report.Workloads, report.NotSeen, got.code)
	}
	both, predicted := 0, 0
	const want = "liveness killed it at least 20 times in 10 Pods, and liveness failed at least 20 times in 10 Pods (last: HTTP probe failed with statuscode: 503); over 10 Pods, "
	for _, f := range report.Findings {
		switch {
		case f.Rule != "liveness-threshold-too-low":
		case f.Basis == "predicted and seen" && f.Severity == "outage" && strings.HasPrefix(f.Seen, want):
			both++
		case f.Basis == "predicted" && f.Severity == "risk":
			predicted++
		default:
			t.Errorf("found %+v", f)
		}
	}
	if both != filledDeployments/10 || predicted != filledDeployments-both {
		t.Errorf("%d were foretold and seen, %d only foretold", both, predicted)
	}
}

// checkRoles asks as users with different roles, whom the administrator stands in for.
func checkRoles(t *testing.T, probity string, cluster *Cluster, client kubernetes.Interface) {
	// nobody aggregates view and edit here
	const everywhere, view = "*", "system:aggregate-to-view"
	blind := rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "blind"}, Rules: []rbacv1.PolicyRule{
		{Verbs: []string{"list"}, APIGroups: []string{"", "apps"}, Resources: []string{"pods", "services", "deployments", "replicasets"}},
	}}
	must(client.RbacV1().ClusterRoles().Create(t.Context(), &blind, metav1.CreateOptions{}))(t)
	for name, c := range map[string]struct {
		roles, in string // where they are bound; "" not at all
		args      []string
		code      int
		head      string // of what is printed
		err       string
	}{
		"cluster-admin":  {"cluster-admin", everywhere, []string{"-A"}, 1, "s0/deployment/web-0 ", " in 500 workloads of 5 namespaces"},
		"view":           {view, "s1", []string{"-n", "s1"}, 1, "not seen: nodes/proxy (forbidden)\n", " in 100 workloads of 1 namespace"},
		"edit":           {view + " system:aggregate-to-edit", "s1", []string{"-n", "s1"}, 1, "not seen: nodes/proxy (forbidden)\n", " in 100 workloads of 1 namespace"},
		"view elsewhere": {view, "s1", []string{"-n", "s2"}, 2, "", "nothing may be read in namespace s2: "},
		"blind": {
			"blind", "s1", []string{"-n", "s1"}, 1,
			"not seen: statefulsets (forbidden), daemonsets (forbidden), cronjobs (forbidden), jobs (forbidden), horizontalpodautoscalers (forbidden), " +
				"poddisruptionbudgets (forbidden), events (forbidden), nodes/proxy (forbidden)\n", " in 100 workloads of 1 namespace",
		},
		"nobody": {"", "", []string{"-A"}, 2, "", "nothing may be read in all namespaces: name one with --namespace ("},
	} {
		t.Run(name, func(t *testing.T) {
			user := "user-" + strings.ReplaceAll(name, " ", "-")
			for i, role := range strings.Fields(c.roles) {
				bind(t, client, fmt.Sprintf("%s-%d", user, i), user, role, c.in)
			}
			got := ask(t, probity, kubeconfigAs(t, cluster, user), append([]string{"check", "--context", ""}, c.args...)...)
			if got.code != c.code || !strings.HasPrefix(got.out, c.head) || c.head == "" && got.out != "" || !strings.Contains(got.err, c.err) {
				t.Errorf("exit code %d, want %d\n%.300s\n%s\nwant %q and %q", got.code, c.code, got.out, got.err, c.head, c.err)
			}
			if name == "blind" && !strings.Contains(got.out, "\n  predicted: not judged by what happened") {
				t.Errorf("it judges by what it does not see:\n%.300s", got.out)
			}
		})
	}
}

// bind gives a user a role in a namespace, or everywhere.
func bind(t *testing.T, client kubernetes.Interface, name, user, role, namespace string) {
	t.Helper()
	meta := metav1.ObjectMeta{Name: name, Namespace: namespace}
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}
	if namespace == "*" {
		meta.Namespace = ""
		must(client.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: meta, Subjects: subjects, RoleRef: ref}, metav1.CreateOptions{}))(t)
	} else {
		must(client.RbacV1().RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: meta, Subjects: subjects, RoleRef: ref}, metav1.CreateOptions{}))(t)
	}
}

// kubeconfigAs is a kubeconfig by which the administrator acts as a user.
func kubeconfigAs(t *testing.T, cluster *Cluster, user string) string {
	t.Helper()
	config := must(clientcmd.LoadFromFile(cluster.Kubeconfig))(t)
	for _, info := range config.AuthInfos {
		info.Impersonate = user
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// fill makes Deployments in five namespaces with all that belongs to them, as controllers, nodes
// and kubelets would.
func fill(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	for i := range 5 {
		must(client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("s%d", i)}}, metav1.CreateOptions{}))(t)
	}
	numbers := make(chan int)
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for n := range numbers {
				if err := fillOne(t, client, n); err != nil {
					t.Errorf("Deployment %d: %v", n, err)
				}
			}
		})
	}
	for n := range filledDeployments {
		numbers <- n
	}
	close(numbers)
	workers.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// fillOne makes a Deployment and what belongs to it. Every tenth is killed by its liveness probe.
func fillOne(t *testing.T, client kubernetes.Interface, n int) error {
	ctx, ns, name := t.Context(), fmt.Sprintf("s%d", n%5), fmt.Sprintf("web-%d", n)
	labels := map[string]string{"app": name}
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/livez", Port: intstr.FromInt32(8080)}}, FailureThreshold: 1}
	ready := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/readyz", Port: intstr.FromInt32(8080)}}}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{NodeName: fmt.Sprintf("node-%d", n%50), Containers: []corev1.Container{{
		Name: "web", Image: "web", Ports: []corev1.ContainerPort{{ContainerPort: 8080}}, LivenessProbe: probe, ReadinessProbe: ready,
	}}}}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	owned := func(kind, name string, owner *metav1.ObjectMeta) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: ns, Name: name, Labels: labels, OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "apps/v1", Kind: kind, Name: owner.Name, UID: owner.UID, Controller: new(true)},
		}}
	}
	d, err := client.AppsV1().Deployments(ns).Create(ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{Replicas: new(int32(podsEach)), Selector: selector, Template: template}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	set, err := client.AppsV1().ReplicaSets(ns).Create(ctx, &appsv1.ReplicaSet{ObjectMeta: owned("Deployment", name+"-1", &d.ObjectMeta),
		Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(podsEach)), Selector: selector, Template: template}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}}}}
	if _, err := client.CoreV1().Services(ns).Create(ctx, service, metav1.CreateOptions{}); err != nil {
		return err
	}
	for i := range podsEach {
		pod := &corev1.Pod{ObjectMeta: owned("ReplicaSet", fmt.Sprintf("%s-1-%d", name, i), &set.ObjectMeta), Spec: template.Spec}
		if err := fillPod(t, client, pod, n%10 == 0); err != nil {
			return err
		}
	}
	return nil
}

// fillPod makes a Pod, its status and its Events.
func fillPod(t *testing.T, client kubernetes.Interface, pod *corev1.Pod, killed bool) error {
	pod, err := client.CoreV1().Pods(pod.Namespace).Create(t.Context(), pod, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	started := metav1.NewTime(pod.CreationTimestamp.Add(time.Second))
	status := corev1.ContainerStatus{Name: "web", Image: "web", Ready: true, Started: new(true), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}}}
	if killed {
		status.RestartCount = 2
		status.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 137, StartedAt: started, FinishedAt: started}
	}
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{status},
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(started.Add(3 * time.Second))}}}
	if pod, err = client.CoreV1().Pods(pod.Namespace).UpdateStatus(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
		return err
	}
	for i := range eventsEach {
		e := &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Namespace: pod.Namespace, Name: fmt.Sprintf("%s.%d", pod.Name, i)},
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", APIVersion: "v1", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, FieldPath: "spec.containers{web}"},
			Reason:         "Started", Message: "Started container web", Type: "Normal", Count: 1, FirstTimestamp: started, LastTimestamp: started,
			Source: corev1.EventSource{Component: "kubelet", Host: pod.Spec.NodeName},
		}
		switch {
		case killed && i == 0:
			e.Reason, e.Message, e.Count = "Killing", "Container web failed liveness probe, will be restarted", 2
		case killed && i == 1:
			e.Reason, e.Message, e.Type, e.Count = "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503", "Warning", 2
		}
		if _, err := client.CoreV1().Events(pod.Namespace).Create(t.Context(), e, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}
