package node

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// fakeObjects holds ConfigMaps and Secrets by name.
type fakeObjects struct {
	configMaps map[string]*corev1.ConfigMap
	secrets    map[string]*corev1.Secret
}

func (f fakeObjects) ConfigMap(_, name string) (*corev1.ConfigMap, bool) {
	cm, ok := f.configMaps[name]
	return cm, ok
}

func (f fakeObjects) Secret(_, name string) (*corev1.Secret, bool) {
	s, ok := f.secrets[name]
	return s, ok
}

func exampleObjects() fakeObjects {
	return fakeObjects{
		configMaps: map[string]*corev1.ConfigMap{"cm": {ObjectMeta: metav1.ObjectMeta{Name: "cm"}, Data: map[string]string{"k": "v", "l": "w"}}},
		secrets:    map[string]*corev1.Secret{"s": {ObjectMeta: metav1.ObjectMeta{Name: "s"}, Data: map[string][]byte{"k": []byte("secret")}}},
	}
}

func examplePod(c corev1.Container) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", UID: "u1", Labels: map[string]string{"app": "shop"}},
		Spec:       corev1.PodSpec{NodeName: Name, Containers: []corev1.Container{c}},
	}
}

func TestEnvironment(t *testing.T) {
	key := func(name, key string, optional bool) *corev1.EnvVarSource {
		return new(corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key, Optional: &optional}})
	}
	field := func(path string) *corev1.EnvVarSource {
		return new(corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}})
	}
	ports := []corev1.ContainerPort{{ContainerPort: 8080}}
	for name, test := range map[string]struct {
		container corev1.Container
		caller    []string
		injected  map[string]string
		want      []string
		wantErr   string
	}{
		"later layers win": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", Value: "manifest"}, {Name: "B", Value: "manifest"}}},
			caller:    []string{"A=caller", "C=caller"}, injected: map[string]string{"B": "injected"},
			want: []string{"A=manifest", "C=caller", "B=injected"},
		},
		"references to earlier entries": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", Value: "x"}, {Name: "B", Value: "$(A)$(Z)$$(A)"}}},
			want:      []string{"A=x", "B=x$(Z)$(A)"},
		},
		"fields of the Pod": {
			container: corev1.Container{Env: []corev1.EnvVar{
				{Name: "N", ValueFrom: field("metadata.name")}, {Name: "L", ValueFrom: field("metadata.labels['app']")}, {Name: "IP", ValueFrom: field("status.podIP")}}},
			want: []string{"N=web", "L=shop", "IP=127.0.0.1"},
		},
		"an unknown field": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "N", ValueFrom: field("metadata.nope")}}},
			wantErr:   "unsupported fieldPath: metadata.nope",
		},
		"resources round up": {
			container: corev1.Container{
				Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("1500m"), "memory": resource.MustParse("1Gi")}},
				Env: []corev1.EnvVar{
					{Name: "C", ValueFrom: new(corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.cpu"}})},
					{Name: "M", ValueFrom: new(corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.memory", Divisor: resource.MustParse("1Mi")}})}}},
			want: []string{"C=2", "M=1024"},
		},
		"a key of a ConfigMap": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", ValueFrom: key("cm", "k", false)}}}, want: []string{"A=v"},
		},
		"a missing ConfigMap": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", ValueFrom: key("gone", "k", false)}}}, wantErr: `configmap "gone" not found`,
		},
		"a missing key": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", ValueFrom: key("cm", "gone", false)}}}, wantErr: "couldn't find key gone in ConfigMap default/cm",
		},
		"optional and missing": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", ValueFrom: key("gone", "k", true)}, {Name: "B", ValueFrom: key("cm", "gone", true)}}},
		},
		"envFrom with a prefix, below env": {
			container: corev1.Container{
				EnvFrom: []corev1.EnvFromSource{
					{Prefix: "P_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}}},
					{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}}},
				Env: []corev1.EnvVar{{Name: "P_l", Value: "own"}}},
			want: []string{"P_k=v", "P_l=own", "k=secret"},
		},
		"PORT that repeats a declared port gives way": {
			container: corev1.Container{Ports: ports, Env: []corev1.EnvVar{{Name: "PORT", Value: "8080"}}},
			injected:  map[string]string{"PORT": "41000"}, want: []string{"PORT=41000"},
		},
		"another PORT stays": {
			container: corev1.Container{Ports: ports, Env: []corev1.EnvVar{{Name: "PORT", Value: "9"}}},
			injected:  map[string]string{"PORT": "41000", "PORT_8080": "41000"}, want: []string{"PORT=9", "PORT_8080=41000"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			pod := examplePod(test.container)
			env, err := newEnvironment(pod, &pod.Spec.Containers[0], exampleObjects(), test.caller, test.injected, newRoom())
			if test.wantErr != "" {
				if err == nil || err.Error() != test.wantErr {
					t.Fatalf("error = %v, want %s", err, test.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Join(test.want, "\n"), strings.Join(env.list(), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExecProbesSeeLiteralsOnly(t *testing.T) { // R83
	pod := examplePod(corev1.Container{Env: []corev1.EnvVar{
		{Name: "A", Value: "x"},
		{Name: "B", ValueFrom: new(corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}})},
	}})
	env, err := newEnvironment(pod, &pod.Spec.Containers[0], exampleObjects(), nil, map[string]string{"PORT": "41000"}, newRoom())
	if err != nil {
		t.Fatal(err)
	}
	got, err := newRoom().expand([]string{"$(A)-$(B)-$(C)", "$(PORT)"}, env.lookupStatic, handler{}.word)
	if diff := cmp.Diff([]string{"x--$(C)", "41000"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestPortVariables(t *testing.T) {
	pod := examplePod(corev1.Container{Name: "app", Ports: []corev1.ContainerPort{{ContainerPort: 9090, Name: "admin-ui"}, {ContainerPort: 8080, Name: "http"}}})
	next := 41000
	take := func() (int, error) { next++; return next, nil }
	ports, err := newPodPorts(pod, take)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"PORT": "41002", "PORT_HTTP": "41002", "PORT_ADMIN_UI": "41001", "PORT_8080": "41002", "PORT_9090": "41001"}
	if diff := cmp.Diff(want, ports.variables(&pod.Spec.Containers[0])); diff != "" {
		t.Error(diff)
	}
	if got, want := ports.annotation(&pod.Spec.Containers[0]), "9090:41001,8080:41002"; got != want {
		t.Errorf("annotation = %q, want %q", got, want)
	}
}

func TestFixedPorts(t *testing.T) {
	for name, change := range map[string]func(*corev1.Pod){
		"annotation":  func(p *corev1.Pod) { p.Annotations = map[string]string{manifest.AnnotationPorts: "fixed"} },
		"hostNetwork": func(p *corev1.Pod) { p.Spec.HostNetwork = true },
		"hostPort":    func(p *corev1.Pod) { p.Spec.Containers[0].Ports[0].HostPort = 8080 },
	} {
		t.Run(name, func(t *testing.T) {
			pod := examplePod(corev1.Container{Name: "app", Ports: []corev1.ContainerPort{{ContainerPort: 8080}}})
			change(pod)
			ports, err := newPodPorts(pod, func() (int, error) { t.Error("a private port was taken"); return 1, nil })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[int32]int{8080: 8080}, maps.Clone(ports.private)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
