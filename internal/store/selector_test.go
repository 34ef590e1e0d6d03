package store

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

func TestSelector(t *testing.T) {
	pod := newPod("web", func(p *corev1.Pod) {
		p.Labels = map[string]string{"app": "web", "tier": "front"}
		p.Spec.NodeName, p.Spec.RestartPolicy = "probity", corev1.RestartPolicyAlways
		p.Spec.SchedulerName, p.Spec.ServiceAccountName, p.Status.NominatedNodeName = "default-scheduler", "robot", "n"
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
		"Event's other field": {object: event, fields: "involvedObject.colour=red"},
		"Pod, the rest":       {object: pod, want: true, fields: "spec.hostNetwork=false,spec.schedulerName=default-scheduler,spec.serviceAccountName=robot,status.nominatedNodeName=n"},
		"Event of the new recorder": {
			object: &corev1.Event{ReportingController: "manager"}, fields: "source=manager", want: true,
		},
		"Node":                  {object: &corev1.Node{Spec: corev1.NodeSpec{Unschedulable: true}}, fields: "spec.unschedulable=true", want: true},
		"Node, unknown":         {object: &corev1.Node{}, fields: "spec.other=false"},
		"Namespace":             {object: &corev1.Namespace{Status: corev1.NamespaceStatus{Phase: "Active"}}, fields: "status.phase=Active", want: true},
		"Secret":                {object: &corev1.Secret{Type: "Opaque"}, fields: "type=Opaque", want: true},
		"Service":               {object: &corev1.Service{Spec: corev1.ServiceSpec{Type: "ClusterIP", ClusterIP: "None"}}, fields: "spec.type=ClusterIP,spec.clusterIP=None", want: true},
		"ReplicaSet":            {object: &appsv1.ReplicaSet{Status: appsv1.ReplicaSetStatus{Replicas: 2}}, fields: "status.replicas=2", want: true},
		"a kind without fields": {object: &corev1.ConfigMap{}, fields: "type=Opaque"},
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

// An API answers 400 for a field that a kind does not have, and has to know that without an object.
func TestSelectableField(t *testing.T) {
	all := "metadata.name metadata.namespace"
	fields := map[Object]string{
		&corev1.Pod{}: "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName spec.hostNetwork " +
			"status.phase status.podIP status.podIPs status.nominatedNodeName",
		&corev1.Event{}: "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid involvedObject.apiVersion " +
			"involvedObject.resourceVersion involvedObject.fieldPath reason reportingComponent source type",
		&corev1.Node{}: "spec.unschedulable", &corev1.Namespace{}: "status.phase", &corev1.Secret{}: "type", &corev1.Service{}: "spec.clusterIP spec.type",
		&appsv1.ReplicaSet{}: "status.replicas", &corev1.ConfigMap{}: "", &appsv1.Deployment{}: "", &appsv1.StatefulSet{}: "", &appsv1.ControllerRevision{}: "",
		&discoveryv1.EndpointSlice{}: "", &coordinationv1.Lease{}: "",
	}
	asked := strings.Fields(all + " name x spec status spec.replicas involvedObject. involvedObject.labels involvedObject regarding.name reportingController")
	for _, names := range fields {
		asked = append(asked, strings.Fields(names)...)
	}
	for object, names := range fields {
		known := strings.Fields(all + " " + names)
		for _, name := range asked {
			if got := SelectableField(object, name); got != slices.Contains(known, name) {
				t.Errorf("%T by %s: %v, want %v", object, name, got, !got)
			}
		}
	}
}

// The fields of events.k8s.io are those of v1 by other names.
func TestEventsField(t *testing.T) {
	known := map[string]string{
		"metadata.name": "metadata.name", "metadata.namespace": "metadata.namespace", "reason": "reason", "type": "type", "reportingController": "reportingComponent",
		"regarding.kind": "involvedObject.kind", "regarding.namespace": "involvedObject.namespace", "regarding.name": "involvedObject.name", "regarding.uid": "involvedObject.uid",
		"regarding.apiVersion": "involvedObject.apiVersion", "regarding.resourceVersion": "involvedObject.resourceVersion", "regarding.fieldPath": "involvedObject.fieldPath",
	}
	for name, want := range known {
		if got, ok := EventsField(name); got != want || !ok || !SelectableField(&corev1.Event{}, got) {
			t.Errorf("%s is %s, %v, want %s", name, got, ok, want)
		}
	}
	for _, name := range []string{"source", "reportingComponent", "involvedObject.name", "regarding.labels", "regarding.", "x"} {
		if got, ok := EventsField(name); ok {
			t.Errorf("%s is taken for %s", name, got)
		}
	}
}
