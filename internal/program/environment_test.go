package program

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fakeObjects holds ConfigMaps and Secrets by name.
type fakeObjects struct {
	configMaps map[string]*corev1.ConfigMap
	secrets    map[string]*corev1.Secret
	services   []*corev1.Service
}

func (f fakeObjects) ConfigMap(_, name string) (*corev1.ConfigMap, bool) {
	cm, ok := f.configMaps[name]
	return cm, ok
}

func (f fakeObjects) Secret(_, name string) (*corev1.Secret, bool) {
	s, ok := f.secrets[name]
	return s, ok
}

func (f fakeObjects) Services(namespace string) []*corev1.Service {
	return slices.DeleteFunc(slices.Clone(f.services), func(s *corev1.Service) bool { return s.Namespace != namespace })
}

func exampleObjects() fakeObjects {
	return fakeObjects{
		configMaps: map[string]*corev1.ConfigMap{"cm": {ObjectMeta: metav1.ObjectMeta{Name: "cm"}, Data: map[string]string{"k": "v", "l": "w"}}},
		secrets: map[string]*corev1.Secret{"s": {ObjectMeta: metav1.ObjectMeta{Name: "s"}, Data: map[string][]byte{"k": []byte("secret")},
			StringData: map[string]string{"plain": "text"}}},
	}
}

func examplePod(c corev1.Container) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", UID: "u1", Labels: map[string]string{"app": "shop"}, Annotations: map[string]string{"team": "shop"}},
		Spec:       corev1.PodSpec{NodeName: "probity", Containers: []corev1.Container{c}},
	}
}

// environmentCase is a container and the environment that its process gets.
type environmentCase struct {
	container corev1.Container
	caller    []string
	injected  map[string]string
	want      []string
	wantErr   string
}

func checkEnvironments(t *testing.T, cases map[string]environmentCase) {
	t.Helper()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			pod := examplePod(test.container)
			env, err := NewEnvironment(pod, &pod.Spec.Containers[0], exampleObjects(), test.caller, test.injected, NewRoom(0))
			if test.wantErr != "" {
				if err == nil || err.Error() != test.wantErr {
					t.Fatalf("error = %v, want %s", err, test.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Join(test.want, "\n"), strings.Join(env.List(), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func configMapKey(name, key string, optional bool) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key, Optional: &optional}}
}

func secretKey(name, key string, optional bool) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key, Optional: &optional}}
}

func field(path string) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
}

func TestEnvironmentLayers(t *testing.T) {
	ports := []corev1.ContainerPort{{ContainerPort: 8080}}
	checkEnvironments(t, map[string]environmentCase{
		"later layers win": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", Value: "manifest"}, {Name: "B", Value: "manifest"}}},
			caller:    []string{"A=caller", "C=caller"}, injected: map[string]string{"B": "injected"},
			want: []string{"A=manifest", "C=caller", "B=injected"},
		},
		"references to earlier entries": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", Value: "x"}, {Name: "B", Value: "$(A)$(Z)$$(A)"}}},
			want:      []string{"A=x", "B=x$(Z)$(A)"},
		},
		"an unknown source": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "N", ValueFrom: &corev1.EnvVarSource{}}}},
			wantErr:   "cannot evaluate env N: its valueFrom names a source that Probity does not know",
		},
		"PORT that repeats a declared port gives way": {
			container: corev1.Container{Ports: ports, Env: []corev1.EnvVar{{Name: "PORT", Value: "8080"}}},
			injected:  map[string]string{"PORT": "41000"}, want: []string{"PORT=41000"},
		},
		"another PORT stays": {
			container: corev1.Container{Ports: ports, Env: []corev1.EnvVar{{Name: "PORT", Value: "9"}}},
			injected:  map[string]string{"PORT": "41000", "PORT_8080": "41000"}, want: []string{"PORT=9", "PORT_8080=41000"},
		},
	})
}

func TestEnvironmentFromObjects(t *testing.T) {
	checkEnvironments(t, map[string]environmentCase{
		"a key of a Secret": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", ValueFrom: secretKey("s", "k", false)}, {Name: "B", ValueFrom: secretKey("s", "plain", false)}}},
			want:      []string{"A=secret", "B=text"},
		},
		"a missing Secret": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", ValueFrom: secretKey("gone", "k", false)}}}, wantErr: `secret "gone" not found`,
		},
		"a missing key of a Secret": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", ValueFrom: secretKey("s", "gone", false)}}}, wantErr: "couldn't find key gone in Secret default/s",
		},
		"an optional Secret": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", ValueFrom: secretKey("gone", "k", true)}}},
		},
		"envFrom of missing objects": {
			container: corev1.Container{EnvFrom: []corev1.EnvFromSource{
				{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "gone"}, Optional: new(true)}},
				{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "gone"}}}}},
			wantErr: `secret "gone" not found`,
		},
		"a key of a ConfigMap": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", ValueFrom: configMapKey("cm", "k", false)}}}, want: []string{"A=v"},
		},
		"a missing ConfigMap": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", ValueFrom: configMapKey("gone", "k", false)}}}, wantErr: `configmap "gone" not found`,
		},
		"a missing key": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", ValueFrom: configMapKey("cm", "gone", false)}}}, wantErr: "couldn't find key gone in ConfigMap default/cm",
		},
		"optional and missing": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "A", ValueFrom: configMapKey("gone", "k", true)}, {Name: "B", ValueFrom: configMapKey("cm", "gone", true)}}},
		},
		"envFrom with a prefix, below env": {
			container: corev1.Container{
				EnvFrom: []corev1.EnvFromSource{
					{Prefix: "P_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}}},
					{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}}},
				Env: []corev1.EnvVar{{Name: "P_l", Value: "own"}}},
			want: []string{"P_k=v", "P_l=own", "k=secret", "plain=text"},
		},
	})
}

func TestDownwardAPI(t *testing.T) {
	checkEnvironments(t, map[string]environmentCase{
		"fields of the Pod": {
			container: corev1.Container{Env: []corev1.EnvVar{
				{Name: "N", ValueFrom: field("metadata.name")}, {Name: "L", ValueFrom: field("metadata.labels['app']")}, {Name: "IP", ValueFrom: field("status.podIP")}}},
			want: []string{"N=web", "L=shop", "IP=127.0.0.1"},
		},
		"more fields of the Pod": {
			container: corev1.Container{Env: []corev1.EnvVar{
				{Name: "NS", ValueFrom: field("metadata.namespace")}, {Name: "UID", ValueFrom: field("metadata.uid")}, {Name: "A", ValueFrom: field("metadata.annotations['team']")},
				{Name: "NODE", ValueFrom: field("spec.nodeName")}, {Name: "SA", ValueFrom: field("spec.serviceAccountName")}, {Name: "NONE", ValueFrom: field("metadata.labels['none']")}}},
			want: []string{"NS=default", "UID=u1", "A=shop", "NODE=probity", "SA=default", "NONE="},
		},
		"a subscript that is not closed": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "N", ValueFrom: field("metadata.labels['app")}}},
			wantErr:   "unsupported fieldPath: metadata.labels['app",
		},
		"a request, divided": {
			container: corev1.Container{
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("250m"), "memory": resource.MustParse("100Mi")}},
				Env: []corev1.EnvVar{
					{Name: "C", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "requests.cpu", Divisor: resource.MustParse("1m")}}},
					{Name: "M", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "requests.memory"}}},
					{Name: "L", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.memory"}}}}},
			want: []string{"C=250", "M=104857600", "L=0"},
		},
		"an unknown field": {
			container: corev1.Container{Env: []corev1.EnvVar{{Name: "N", ValueFrom: field("metadata.nope")}}},
			wantErr:   "unsupported fieldPath: metadata.nope",
		},
		"resources round up": {
			container: corev1.Container{
				Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("1500m"), "memory": resource.MustParse("1Gi")}},
				Env: []corev1.EnvVar{
					{Name: "C", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.cpu"}}},
					{Name: "M", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.memory", Divisor: resource.MustParse("1Mi")}}}}},
			want: []string{"C=2", "M=1024"},
		},
	})
}

func TestExecProbesSeeLiteralsOnly(t *testing.T) { // R83
	pod := examplePod(corev1.Container{Env: []corev1.EnvVar{
		{Name: "A", Value: "x"},
		{Name: "B", ValueFrom: new(corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}})},
	}})
	env, err := NewEnvironment(pod, &pod.Spec.Containers[0], exampleObjects(), nil, map[string]string{"PORT": "41000"}, NewRoom(0))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Handler{Command: []string{"$(A)-$(B)-$(C)", "$(PORT)"}}.Expand(env, NewRoom(0))
	if diff := cmp.Diff([]string{"x--$(C)", "41000"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// TestRewrite: every entry is shown once, with what must not be printed marked, and its new value
// takes room.
func TestRewrite(t *testing.T) {
	pod := examplePod(corev1.Container{
		EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}},
			{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}}}},
		Env: []corev1.EnvVar{{Name: "PLAIN", Value: "a"}, {Name: "PART", Value: "a$(k)"}, {Name: "KEY", ValueFrom: secretKey("s", "k", false)}},
	})
	room := NewRoom(0)
	env, err := NewEnvironment(pod, &pod.Spec.Containers[0], exampleObjects(), nil, nil, room)
	if err != nil {
		t.Fatal(err)
	}
	before := room.Left()
	var seen []Variable
	err = env.Rewrite(func(v Variable) string {
		seen = append(seen, v)
		return strings.ReplaceAll(v.Value, "a", "long")
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Variable{{"k", "v", false}, {"plain", "text", true}, {"l", "w", false}, {"PLAIN", "a", false}, {"PART", "av", true}, {"KEY", "secret", true}}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if got, _ := env.Lookup("PLAIN"); got != "long" {
		t.Errorf("$(PLAIN) is %q", got)
	}
	if got, _ := env.LookupStatic("PLAIN"); got != "long" {
		t.Errorf("$(PLAIN) of an exec probe is %q", got)
	}
	if got := before - room.Left(); got != 2*len("ong") {
		t.Errorf("%d bytes of room were taken, want %d", got, 2*len("ong"))
	}
	err = env.Rewrite(func(v Variable) string { return strings.Repeat("x", 4<<20) })
	if _, ok := errors.AsType[*TooLongError](err); !ok {
		t.Errorf("4 MiB: %v", err)
	}
}
