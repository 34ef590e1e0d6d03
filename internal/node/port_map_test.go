package node

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// fakePool hands out 41001, 41002 and so on, as far as there are any. It is safe for concurrent
// use.
type fakePool struct {
	mu            sync.Mutex // guards what follows
	last, highest int
	released      []int
}

func newFakePool() *fakePool { return &fakePool{last: 41000, highest: 42000} }

func (p *fakePool) Take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == p.highest {
		return 0, errors.New("no free port")
	}
	p.last++
	return p.last, nil
}

func (p *fakePool) Release(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.released = append(p.released, port)
}

func TestPortVariables(t *testing.T) {
	pod := examplePod(corev1.Container{Name: "app", Ports: []corev1.ContainerPort{{ContainerPort: 9090, Name: "admin-ui"}, {ContainerPort: 8080, Name: "http"}}})
	pool := newFakePool()
	ports, err := newPortMap(pod, pool)
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
	ports.release(pool)
	if want := []int{41001, 41002}; !slices.Equal(pool.released, want) {
		t.Errorf("released %v, want %v", pool.released, want)
	}
}

func TestPortsOfSeveralContainers(t *testing.T) {
	pod := examplePod(corev1.Container{Name: "app", Ports: []corev1.ContainerPort{{ContainerPort: 8080}, {ContainerPort: 8080, Protocol: corev1.ProtocolUDP}}})
	pod.Spec.InitContainers = []corev1.Container{{Name: "proxy", Ports: []corev1.ContainerPort{{ContainerPort: 9090}}}}
	ports, err := newPortMap(pod, newFakePool())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[int32]int{9090: 41001, 8080: 41002}, ports.private); diff != "" {
		t.Errorf("a port that is declared twice is one port: %s", diff)
	}
	want := map[string]string{"PORT": "41001", "PORT_8080": "41002", "PORT_9090": "41001"}
	if diff := cmp.Diff(want, ports.variables(&pod.Spec.InitContainers[0])); diff != "" {
		t.Error(diff)
	}
}

func TestPortsRunOut(t *testing.T) {
	pod := examplePod(corev1.Container{Name: "app", Ports: []corev1.ContainerPort{{ContainerPort: 8080}, {ContainerPort: 9090}}})
	pool := &fakePool{last: 41000, highest: 41001}
	_, err := newPortMap(pod, pool)
	if want := "cannot find a private port for containerPort 9090 of container app: no free port"; errorText(err) != want {
		t.Errorf("error = %v, want %s", err, want)
	}
	if want := []int{41001}; !slices.Equal(pool.released, want) {
		t.Errorf("released %v, want %v", pool.released, want)
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
			pool := newFakePool()
			ports, err := newPortMap(pod, pool)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[int32]int{8080: 8080}, ports.private); diff != "" {
				t.Error(diff)
			}
			if pool.last != 41000 {
				t.Error("a private port was taken")
			}
			if diff := cmp.Diff(map[int32]int{8080: 8080}, ports.unseen()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAdopt(t *testing.T) {
	ports := &portMap{
		private: map[int32]int{8080: 41001, 9090: 41002, 53: 41003},
		bound:   map[int32]netip.Addr{}, tcp: map[int32]bool{8080: true, 9090: true},
	}
	if private, ok := ports.adopt(8080); !ok || private != 41001 {
		t.Errorf("adopt = %d, %v, want 41001, true", private, ok)
	}
	if got := ports.of(8080); got != 8080 {
		t.Errorf("the port is %d, want 8080", got)
	}
	if _, ok := ports.adopt(8080); ok {
		t.Error("a port was adopted twice")
	}
	if !ports.bind(8080, netip.IPv4Unspecified()) || ports.bind(8080, netip.IPv4Unspecified()) || ports.boundTo() != "8080=0.0.0.0" {
		t.Errorf("bound to %s, or said twice", ports.boundTo())
	}
	if diff := cmp.Diff(map[int32]int{9090: 41002}, ports.unseen()); diff != "" { // nobody sees UDP
		t.Error(diff)
	}
}
