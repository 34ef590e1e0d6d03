package node

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// examplePodOf is a Pod of one container, app, which runs the program server, has a grace period of
// 30 s and declares port 8080.
func examplePodOf(change ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{
			NodeName: Name, RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: new(int64(30)),
			Containers: []corev1.Container{{Name: "app", Image: "example", Command: []string{"server"}, Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}},
		},
	}
	for _, f := range change {
		f(pod)
	}
	return pod
}

func withReadiness(path string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].ReadinessProbe = exampleProbe(path, 3) }
}

func withLiveness(path string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].LivenessProbe = exampleProbe(path, 2) }
}

// exampleProbe is an HTTP probe with a period and a timeout of 1 s.
func exampleProbe(path string, failures int32) *corev1.Probe {
	p := &corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: failures}
	p.HTTPGet = &corev1.HTTPGetAction{Path: path, Port: intstrOf("http"), Scheme: corev1.URISchemeHTTP}
	return p
}

func withLifecycle(l corev1.Lifecycle) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].Lifecycle = &l }
}

func execAction(command ...string) *corev1.LifecycleHandler {
	return &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: command}}
}

func annotated(name, value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { metav1.SetMetaDataAnnotation(&p.ObjectMeta, name, value) }
}

func intstrOf(name string) intstr.IntOrString { return intstr.FromString(name) }

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
		secrets: map[string]*corev1.Secret{"s": {ObjectMeta: metav1.ObjectMeta{Name: "s"}, Data: map[string][]byte{"k": []byte("secret")},
			StringData: map[string]string{"plain": "text"}}},
	}
}

func examplePod(c corev1.Container) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", UID: "u1", Labels: map[string]string{"app": "shop"}, Annotations: map[string]string{"team": "shop"}},
		Spec:       corev1.PodSpec{NodeName: Name, Containers: []corev1.Container{c}},
	}
}

func (f fakeObjects) Services(string) []*corev1.Service { return nil }
