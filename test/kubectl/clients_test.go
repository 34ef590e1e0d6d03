//go:build kubectl

package kubectl

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// protobuf is what Kubernetes' own clients send and ask for.
const protobuf = "application/vnd.kubernetes.protobuf"

// clients are connected to one server, each with JSON unless it says otherwise, and have a
// namespace to themselves.
type clients struct {
	kubeconfig string
	config     *rest.Config
	typed      *kubernetes.Clientset
	protobuf   *kubernetes.Clientset
	dynamic    *dynamic.DynamicClient
	metadata   metadata.Interface
	namespace  string
}

// connect starts a server for one test, or takes the one that is given.
func connect(t *testing.T) clients {
	t.Helper()
	kubeconfig, _ := startServer(t, t.TempDir())
	return connectTo(t, kubeconfig)
}

func connectTo(t *testing.T, kubeconfig string) clients {
	t.Helper()
	config := must(clientcmd.BuildConfigFromFlags("", kubeconfig))(t)
	config.QPS = -1 // the tests wait for the server, and not for themselves
	binary := rest.CopyConfig(config)
	binary.ContentType = protobuf
	c := clients{
		kubeconfig: kubeconfig, config: config, typed: must(kubernetes.NewForConfig(config))(t), protobuf: must(kubernetes.NewForConfig(binary))(t),
		dynamic: must(dynamic.NewForConfig(config))(t), metadata: must(metadata.NewForConfig(config))(t),
	}
	namespaces := c.typed.CoreV1().Namespaces()
	made := must(namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{}))(t)
	c.namespace = made.Name
	t.Cleanup(func() {
		if err := namespaces.Delete(context.Background(), c.namespace, metav1.DeleteOptions{}); err != nil {
			t.Logf("cannot delete the namespace: %v", err)
		}
	})
	return c
}

// must returns a function that fails the test if there is an error, and returns the value.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// newConfigMap is an object of the test's namespace that nothing else works with.
func (c clients) newConfigMap(t *testing.T, name, value string) *corev1.ConfigMap {
	t.Helper()
	return must(c.typed.CoreV1().ConfigMaps(c.namespace).Create(t.Context(), configMap(name, value), metav1.CreateOptions{}))(t)
}

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"value": value}}, Data: map[string]string{"value": value}}
}
