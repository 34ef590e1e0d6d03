package deploy

import (
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func quantities(pairs ...string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		list[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return list
}

// TestTellQuotas: room is needed for what is more than there is, and for the surge if Pods are made
// anew.
func TestTellQuotas(t *testing.T) {
	const text = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 4
  strategy: {rollingUpdate: {maxSurge: 25%}}
  template:
    spec:
      initContainers: [{name: i, resources: {requests: {cpu: "1"}}}]
      containers: [{name: c, image: IMAGE, resources: {requests: {cpu: 250m}, limits: {cpu: 500m, memory: 1Gi}}}, {name: d, resources: {requests: {cpu: 50m}}}]
`
	quota := func(hard, used corev1.ResourceList) corev1.ResourceQuota {
		return corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "small"}, Status: corev1.ResourceQuotaStatus{Hard: hard, Used: used}}
	}
	pods := quota(quantities("pods", "4"), quantities("pods", "4"))
	scoped := pods
	scoped.Spec.Scopes = []corev1.ResourceQuotaScope{corev1.ResourceQuotaScopeBestEffort}
	old := strings.ReplaceAll(text, "IMAGE", "old")
	surge := "(deployment/web: 1 more Pods, 1 of them while it rolls out)"
	tests := map[string]struct {
		before string
		quota  corev1.ResourceQuota
		code   int
		want   string
	}{
		"no room for the surge":   {old, pods, 200, "quota small leaves no room: pods 4 of 4 used, and 1 more are needed at most " + surge},
		"room for it":             {old, quota(quantities("pods", "5"), quantities("pods", "4")), 200, ""},
		"no other Pods":           {strings.ReplaceAll(text, "IMAGE", "new"), pods, 200, ""},
		"new":                     {"", pods, 200, "quota small leaves no room: pods 4 of 4 used, and 4 more are needed at most (deployment/web: 4 more Pods)"},
		"more replicas":           {strings.ReplaceAll(strings.ReplaceAll(text, "IMAGE", "new"), "replicas: 4", "replicas: 2"), pods, 200, "quota small leaves no room: pods 4 of 4 used, and 2 more are needed at most (deployment/web: 2 more Pods)"},
		"the largest request":     {old, quota(quantities("requests.cpu", "2"), quantities("requests.cpu", "1500m")), 200, "quota small leaves no room: requests.cpu 1500m of 2 used, and 1 more are needed at most " + surge},
		"limits":                  {old, quota(quantities("limits.cpu", "2", "limits.memory", "4Gi", "services", "0"), quantities("limits.cpu", "0", "limits.memory", "4Gi")), 200, "quota small leaves no room: limits.memory 4Gi of 4Gi used, and 1Gi more are needed at most " + surge},
		"of some Pods only":       {old, scoped, 200, ""},
		"nobody may look at them": {old, pods, 403, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d, _ := bound(t, strings.ReplaceAll(text, "IMAGE", "new"), func(r *http.Request) (int, any) {
				if r.Method != http.MethodGet || r.URL.Path != "/api/v1/namespaces/shop/resourcequotas" {
					t.Errorf("it asks for %s %s", r.Method, r.URL)
				}
				if test.code != 200 {
					return statusOf(test.code, metav1.StatusReasonForbidden, "no")
				}
				return 200, corev1.ResourceQuotaList{Items: []corev1.ResourceQuota{test.quota}}
			})
			var told []string
			d.options.Report = func(e Event) { told = append(told, e.Kind+" "+e.Text) }
			e := d.Entries[0]
			if e.Planned = e.Unstructured; test.before != "" {
				e.Before = object(t, test.before)
			}
			d.tellQuotas(t.Context())
			want := test.want
			if want != "" {
				want = "warning " + want
			}
			if got := strings.Join(told, "\n"); got != want {
				t.Errorf("it says %q, want %q", got, want)
			}
		})
	}
}
