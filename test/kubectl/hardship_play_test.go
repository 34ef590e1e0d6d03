//go:build kubectl && cluster

package kubectl

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// workload is one of two Pods, with a line more in its spec and in that of the Pods.
func workload(kind, spec, pod string) string {
	return `apiVersion: apps/v1
kind: ` + kind + `
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  ` + spec + `
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 60
      ` + pod + `
      containers:
      - {name: web, image: "web:1", ports: [{containerPort: 8080}], readinessProbe: {httpGet: {path: /readyz, port: 8080}}, resources: {requests: {cpu: 64}}}
`
}

// service is one that selects Pods of an app.
func service(app string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: " + app + "}, ports: [{port: 80, targetPort: 8080}]}\n---\n"
}

// claim is a PersistentVolumeClaim that nobody gives a volume.
const claim = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: '', resources: {requests: {storage: 1Gi}}}
---
`

// report has Pods, once there are so many, bound to a node unless that is "", and ready but for
// what change does to that.
func report(t *testing.T, c clients, count int, node string, change func(*corev1.Pod)) {
	t.Helper()
	pods := c.typed.CoreV1().Pods(c.namespace)
	var all []corev1.Pod
	eventually(t, fmt.Sprintf("there are %d Pods", count), func() bool {
		list, err := pods.List(t.Context(), metav1.ListOptions{})
		if err == nil {
			all = list.Items
		}
		return len(all) == count && all[0].DeletionTimestamp == nil
	})
	for _, pod := range all {
		if node != "" && pod.Spec.NodeName == "" {
			to := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: pod.Name}, Target: corev1.ObjectReference{Kind: "Node", Name: node}}
			if err := pods.Bind(t.Context(), to, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "the status is taken", func() bool { // others may have changed the Pod
			now, err := pods.Get(t.Context(), pod.Name, metav1.GetOptions{})
			if err != nil {
				return false
			}
			now.Status = played(now)
			if change != nil {
				change(now)
			}
			_, err = pods.UpdateStatus(t.Context(), now, metav1.UpdateOptions{})
			return err == nil
		})
	}
}

// notReady has a Pod not ready for a reason, or for "" with its containers not ready.
func notReady(p *corev1.Pod, reason string) {
	for i := range p.Status.Conditions {
		switch cond := &p.Status.Conditions[i]; {
		case cond.Type == corev1.PodReady:
			cond.Status, cond.Reason = corev1.ConditionFalse, reason
		case cond.Type == corev1.ContainersReady && reason == "":
			cond.Status = corev1.ConditionFalse
			p.Status.ContainerStatuses[0].Ready = false
		}
	}
}

// fail has a Pod end with an exit code.
func fail(p *corev1.Pod, code int32) {
	p.Status.Phase = corev1.PodFailed
	now := metav1.NewTime(time.Now())
	p.Status.ContainerStatuses[0].Ready, p.Status.ContainerStatuses[0].Started = false, new(false)
	p.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Error", StartedAt: now, FinishedAt: now}}
	notReady(p, "")
}

// awaitEvent waits for an Event in the namespace.
func awaitEvent(t *testing.T, c clients, reason string) {
	t.Helper()
	eventually(t, "there is an Event "+reason, func() bool {
		list, err := c.typed.CoreV1().Events(c.namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "reason=" + reason})
		return err == nil && len(list.Items) > 0
	})
}

// labelNamespace gives the namespace a label.
func labelNamespace(t *testing.T, c clients, key, value string) {
	t.Helper()
	patch := fmt.Appendf(nil, `{"metadata":{"labels":{%q:%q}}}`, key, value)
	must(c.typed.CoreV1().Namespaces().Patch(t.Context(), c.namespace, types.MergePatchType, patch, metav1.PatchOptions{}))(t)
}

// makeQuota limits what there may be in the namespace, and waits until that counts.
func makeQuota(t *testing.T, c clients, what corev1.ResourceName, limit string) {
	t.Helper()
	quotas := c.typed.CoreV1().ResourceQuotas(c.namespace)
	quota := corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{what: resource.MustParse(limit)}}}
	must(quotas.Create(t.Context(), &quota, metav1.CreateOptions{}))(t)
	eventually(t, "the quota counts", func() bool {
		now, err := quotas.Get(t.Context(), "none", metav1.GetOptions{})
		return err == nil && len(now.Status.Used) > 0
	})
}

// makePaused makes the Deployment web, paused, as somebody else.
func makePaused(t *testing.T, c clients) {
	t.Helper()
	labels := map[string]string{"app": "web"}
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{Paused: true, Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels}}}
	d.Spec.Template.Labels = labels
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "web", Image: "web:1"}}
	d.Spec.Template.Spec.TerminationGracePeriodSeconds = new(int64(60))
	must(c.typed.AppsV1().Deployments(c.namespace).Create(t.Context(), d, metav1.CreateOptions{FieldManager: "somebody"}))(t)
}

// denyPods has an admission webhook deny all Pods of the namespace.
func denyPods(t *testing.T, c clients) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review struct {
			Request struct{ UID string }
		}
		_ = json.NewDecoder(r.Body).Decode(&review) // who asks is the API server
		_, _ = fmt.Fprintf(w, `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":%q,"allowed":false,"status":{"message":"no Pods on Sundays"}}}`, review.Request.UID)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	none := admissionregistrationv1.SideEffectClassNone
	hooks := c.typed.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	must(hooks.Create(t.Context(), &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: c.namespace},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: "sundays.example.com", SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			ClientConfig:      admissionregistrationv1.WebhookClientConfig{URL: &server.URL, CABundle: ca},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": c.namespace}},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}},
		}},
	}, metav1.CreateOptions{}))(t)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "p", Image: "p"}}}}
	eventually(t, "the webhook is asked", func() bool {
		_, err := c.typed.CoreV1().Pods(c.namespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil
	})
}
