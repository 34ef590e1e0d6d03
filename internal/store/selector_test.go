package store

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

func TestSelector(t *testing.T) {
	pod := newPod("web", func(p *corev1.Pod) {
		p.Labels = map[string]string{"app": "web", "tier": "front"}
		p.Spec.NodeName, p.Spec.RestartPolicy = "probity", corev1.RestartPolicyAlways
		p.Status.Phase, p.Status.PodIP = corev1.PodRunning, "127.0.0.1"
	})
	event := &corev1.Event{
		ObjectMeta: newPod("web.1").ObjectMeta, Reason: "Killing", Type: "Normal", ReportingController: "kubelet", Source: corev1.EventSource{Component: "kubelet"},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: "default", Name: "web", UID: "u", ResourceVersion: "7", FieldPath: "spec.containers{web}"},
	}
	tests := map[string]struct {
		object    Object
		namespace string
		labels    string
		fields    string
		want      bool
	}{
		"all":                        {object: pod, want: true},
		"namespace":                  {object: pod, namespace: "default", want: true},
		"another namespace":          {object: pod, namespace: "other"},
		"label":                      {object: pod, labels: "app=web", want: true},
		"labels":                     {object: pod, labels: "app in (web, db), tier!=back", want: true},
		"another label":              {object: pod, labels: "app=db"},
		"no such label":              {object: pod, labels: "!app"},
		"a label, but another space": {object: pod, namespace: "other", labels: "app=web"},
		"name":                       {object: pod, fields: "metadata.name=web,metadata.namespace=default", want: true},
		"another name":               {object: pod, fields: "metadata.name=db"},
		"Pod":                        {object: pod, fields: "spec.nodeName=probity,spec.restartPolicy=Always,status.phase=Running,status.podIP=127.0.0.1", want: true},
		"not that phase":             {object: pod, fields: "status.phase!=Running"},
		"Event": {object: event, want: true, fields: "involvedObject.apiVersion=v1,involvedObject.kind=Pod,involvedObject.namespace=default," +
			"involvedObject.name=web,involvedObject.uid=u,involvedObject.resourceVersion=7,involvedObject.fieldPath=spec.containers{web}"},
		"what the Event says": {object: event, fields: "reason=Killing,type=Normal,source=kubelet,reportingComponent=kubelet", want: true},
		"another reason":      {object: event, fields: "reason=Unhealthy"},
		"a Pod's field":       {object: event, fields: "status.phase=Running"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			sel := Selector{
				Namespace: tt.namespace,
				Labels:    must[labels.Selector](t)(labels.Parse(tt.labels)),
				Fields:    must[fields.Selector](t)(fields.ParseSelector(tt.fields)),
			}
			if got := sel.Matches(tt.object); got != tt.want {
				t.Errorf("matches = %v, want %v", got, tt.want)
			}
		})
	}
}
