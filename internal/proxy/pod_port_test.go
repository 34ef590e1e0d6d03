package proxy

import (
	"context"
	"fmt"
	"net"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/test/ports"
)

// TestPodPortsShareOneShare: however many Pods headless Services have, they take no more of the
// clients than one Service port; when that is all taken, an Event says it.
func TestPodPortsShareOneShare(t *testing.T) {
	needsAddresses(t)
	fx := start(t, Options{MaxConnections: 8})
	upstream, err := net.Listen("tcp", "127.64.0.9:0")
	if err != nil {
		t.Fatal(err)
	}
	defer upstream.Close()
	private := upstream.Addr().(*net.TCPAddr).Port
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db", Labels: map[string]string{"app": "db"}}}
	pod.Status.PodIP = "127.64.0.9"
	var declared []int
	listening, pairs := "", ""
	for range 5 {
		port := ports.Free(t)
		declared = append(declared, port)
		listening += fmt.Sprintf("%d,", port)
		pairs += fmt.Sprintf("%d:%d,", port, private)
	}
	pod.Annotations = map[string]string{manifest.AnnotationListening: listening, manifest.AnnotationPrivatePorts + "app": pairs}
	if _, err := store.Create(fx.store, pod); err != nil {
		t.Fatal(err)
	}
	headless := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"}}
	headless.Spec = corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Selector: map[string]string{"app": "db"}}
	if _, err := store.Create(fx.store, headless); err != nil {
		t.Fatal(err)
	}
	for _, port := range declared {
		eventually(t, "a listener", func() bool { return fx.proxy.HoldsPort(int32(port)) })
	}
	fx.proxy.slots.mu.Lock()
	shares := fx.proxy.slots.ports
	fx.proxy.slots.mu.Unlock()
	if shares != 1 {
		t.Errorf("%d shares", shares)
	}
	for range 9 {
		conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", fmt.Sprintf("127.64.0.9:%d", declared[0]))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	eventually(t, "an Event", func() bool { return len(fx.events("TooManyClients")) == 1 })
	if _, err := store.Modify(fx.store, "default", "db", func(p *corev1.Pod) error {
		p.Annotations = nil
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no share", func() bool {
		fx.proxy.slots.mu.Lock()
		defer fx.proxy.slots.mu.Unlock()
		return fx.proxy.slots.ports == 0
	})
}
