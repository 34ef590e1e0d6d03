package program

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// storeService is a Service that is served at another number than it declares.
func storeService() *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "store", Namespace: "default", Annotations: map[string]string{manifest.AnnotationAddress + "80": "127.64.0.7:8080"}},
		Spec:       corev1.ServiceSpec{ClusterIP: "127.64.0.7", Ports: []corev1.ServicePort{{Port: 80}}},
	}
}

// TestServiceVariables: they lie above the caller's environment and below the manifest's, and
// $(NAME) finds them.
func TestServiceVariables(t *testing.T) {
	elsewhere := storeService()
	elsewhere.Namespace, elsewhere.Name = "other", "elsewhere"
	objects := exampleObjects()
	objects.services = []*corev1.Service{storeService(), elsewhere}
	objects.configMaps["links"] = &corev1.ConfigMap{Data: map[string]string{"STORE_PORT_80_TCP_ADDR": "from envFrom"}}
	pod := examplePod(corev1.Container{
		EnvFrom: []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "links"}}}},
		Env: []corev1.EnvVar{
			{Name: "URL", Value: "http://$(STORE_SERVICE_HOST):$(STORE_SERVICE_PORT)/"},
			{Name: "STORE_PORT", Value: "mine, not $(STORE_PORT)"},
		},
	})
	caller := []string{"STORE_SERVICE_HOST=of the caller", "HOME=/root"}
	env, err := NewEnvironment(pod, &pod.Spec.Containers[0], objects, caller, map[string]string{"PORT": "41000"}, NewRoom(0))
	if err != nil {
		t.Fatal(err)
	}
	got := env.List()
	slices.Sort(got)
	want := []string{
		"HOME=/root", "PORT=41000",
		"STORE_PORT=mine, not tcp://127.64.0.7:8080",
		"STORE_PORT_80_TCP=tcp://127.64.0.7:8080", "STORE_PORT_80_TCP_ADDR=from envFrom", "STORE_PORT_80_TCP_PORT=8080", "STORE_PORT_80_TCP_PROTO=tcp",
		"STORE_SERVICE_HOST=127.64.0.7", "STORE_SERVICE_PORT=8080",
		"URL=http://127.64.0.7:8080/",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if got, _ := env.Lookup("STORE_SERVICE_HOST"); got != "127.64.0.7" {
		t.Errorf("$(STORE_SERVICE_HOST) in a command is %q", got)
	}
	if _, ok := env.LookupStatic("STORE_SERVICE_HOST"); ok {
		t.Error("an exec probe's command knows a Service (R83)")
	}

	pod.Spec.EnableServiceLinks = new(false)
	env, err = NewEnvironment(pod, &pod.Spec.Containers[0], objects, nil, nil, NewRoom(0))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range env.List() {
		if strings.HasPrefix(entry, "STORE_SERVICE") {
			t.Errorf("enableServiceLinks: false, and there is %s", entry)
		}
	}
}

// TestServiceVariablesTakeRoom: many Services cannot fill the memory.
func TestServiceVariablesTakeRoom(t *testing.T) {
	objects := exampleObjects()
	objects.services = []*corev1.Service{storeService()}
	pod := examplePod(corev1.Container{})
	_, err := NewEnvironment(pod, &pod.Spec.Containers[0], objects, nil, nil, &Room{100})
	if err == nil || !strings.Contains(err.Error(), "enableServiceLinks") {
		t.Errorf("error %v", err)
	}
}
