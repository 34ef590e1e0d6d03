package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
	"github.com/probity-run/probity/test/ports"
)

func onPort(port int) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.Ports[0].Port = int32(port) }
}

func TestTwoServicesOnOnePort(t *testing.T) {
	fx := start(t, Options{})
	port := ports.Free(t)
	first := fx.service("first", onPort(port))
	second := fx.service("second", onPort(port))
	if first != fmt.Sprintf("127.0.0.1:%d", port) || second == first {
		t.Errorf("addresses %s and %s, port %d", first, second, port)
	}
	want := fmt.Sprintf("second: port %d belongs to Service default/first; port %d of this Service is at %s instead", port, port, second)
	if events := fx.events("PortTaken"); !slices.Equal(events, []string{want}) {
		t.Errorf("Events %q, want %q", events, want)
	}
	a, b := fx.replica("a", nil), fx.replica("b", nil)
	fx.endpoints("first", at("a", a.address))
	fx.endpoints("second", at("b", b.address))
	client := client(t)
	_, x := get(client, "http://"+first)
	if _, y := get(client, "http://"+second); x != "a" || y != "b" {
		t.Errorf("answers %s, %s", x, y)
	}
}

func TestPortInUseByAnotherProgram(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	fx := start(t, Options{Claims: claimed(int32(port+1), workload.PortUnseen).now})
	address := fx.service("web", onPort(port))
	if address == l.Addr().String() || address == fmt.Sprintf("127.0.0.1:%d", port+1) {
		t.Errorf("the address is %s", address)
	}
	if e := fx.events("PortTaken"); len(e) != 1 || !strings.Contains(e[0], "in use by another program") {
		t.Errorf("Events %q", e)
	}
	reserved := fx.service("other", onPort(port+1))
	if reserved == fmt.Sprintf("127.0.0.1:%d", port+1) {
		t.Error("a reserved port was taken")
	}
}

func TestServicesWithoutListener(t *testing.T) {
	fx := start(t, Options{})
	for name, change := range map[string]func(*corev1.Service){
		"headless": func(s *corev1.Service) { s.Spec.ClusterIP = corev1.ClusterIPNone },
		"external": func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName },
		"udp":      func(s *corev1.Service) { s.Spec.Ports[0].Protocol = corev1.ProtocolUDP },
	} {
		s := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: int32(ports.Free(t))}}},
		}
		change(s)
		if _, err := store.Create(fx.store, s); err != nil {
			t.Fatal(err)
		}
	}
	fx.service("web") // when this one is served, the others were seen
	if s := fx.proxy.State(); len(s.Ports) != 1 || s.Ports[0].Service.Name != "web" {
		t.Errorf("ports %+v", s.Ports)
	}
}

func TestListenerStaysAndGoes(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("web")
	a := fx.replica("a", nil)
	conn, answers := raw(t, address, "")
	ask := func() int {
		if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode
	}
	fx.endpoints("web", at("a", a.address))
	first := ask()
	fx.endpoints("web")
	second := ask()
	fx.endpoints("web", at("a", a.address))
	if third := ask(); first != 200 || second != 503 || third != 200 { // all over one connection
		t.Errorf("answers %d, %d, %d", first, second, third)
	}
	key := onlyKey(fx)
	if _, err := store.Modify(fx.store, "default", "web", func(s *corev1.Service) error {
		s.Spec.Ports[0].Port = int32(ports.Free(t))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the port has moved", func() bool {
		s, err := store.Get[*corev1.Service](fx.store, "default", "web")
		return err == nil && s.Annotations[manifest.AnnotationAddress+fmt.Sprint(key.number)] == "" && len(s.Annotations) == 1
	})
	eventually(t, "the old listener is closed", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	if err := store.Delete[*corev1.Service](fx.store, "default", "web", store.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nothing listens", func() bool { return len(fx.proxy.State().Ports) == 0 })
}

func TestServiceMadeAnew(t *testing.T) {
	fx := start(t, Options{})
	port := ports.Free(t)
	for range 5 {
		if address := fx.service("web", onPort(port)); address != fmt.Sprintf("127.0.0.1:%d", port) {
			t.Errorf("address %s, want port %d", address, port)
		}
		if err := store.Delete[*corev1.Service](fx.store, "default", "web", store.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProtocolByProbe(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("web", named(""), func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromString("web") })
	if p := fx.state().Protocol; p != "tcp" {
		t.Fatalf("protocol %s without a Pod", p)
	}
	pod, err := store.Create(fx.store, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web-1", Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 8080}},
			ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
				HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(8080)},
			}},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the probe is seen", func() bool { return fx.state().Protocol == "http" })
	if err := store.Delete[*corev1.Pod](fx.store, "default", pod.Name, store.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	fx.endpoints("web")
	if code, body := get(client(t), "http://"+address); code != http.StatusServiceUnavailable {
		t.Errorf("without its Pod the port speaks no HTTP any more: %d %s", code, body)
	}
}

// TestExpiredWatch blocks the loop until its watch has expired.
func TestExpiredWatch(t *testing.T) {
	fx := start(t, Options{})
	fx.service("gone")
	address := fx.service("web")
	a := fx.replica("a", nil)
	fx.proxy.mu.Lock()
	if _, err := store.Modify(fx.store, "default", "gone", func(s *corev1.Service) error {
		s.Spec.Ports[0].Port++ // for this the loop needs the lock
		return nil
	}); err != nil {
		fx.proxy.mu.Unlock()
		t.Fatal(err)
	}
	if err := store.Delete[*corev1.Service](fx.store, "default", "gone", store.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	fx.write("web", at("a", a.address))
	for i := range 5000 {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("pod-", i)}}
		if _, err := store.Create(fx.store, pod); err != nil {
			t.Error(err)
		}
	}
	fx.proxy.mu.Unlock()
	eventually(t, "one Service is left, with its endpoint", func() bool {
		s := fx.proxy.State().Ports
		return len(s) == 1 && s[0].Service.Name == "web" && len(s[0].Endpoints) == 1
	})
	if code, body := get(client(t), "http://"+address); code != http.StatusOK || body != "a" {
		t.Errorf("%d %s", code, body)
	}
}

func TestStopWaitsForRequests(t *testing.T) {
	for name, test := range map[string]struct {
		drain time.Duration
		want  int
	}{"served to the end": {10 * time.Second, 200}, "cut": {20 * time.Millisecond, 0}} {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{DrainTimeout: test.drain})
			url := "http://" + fx.service("web")
			reached, release := make(chan struct{}), make(chan struct{})
			a := fx.replica("a", func(_ http.ResponseWriter, r *http.Request) {
				// else the server does not notice when its client goes away
				_, _ = io.Copy(io.Discard, r.Body)
				close(reached)
				select {
				case <-release:
				case <-r.Context().Done():
				}
			})
			fx.endpoints("web", at("a", a.address))
			codes := make(chan int)
			client := client(t)
			go func() {
				code, _ := do(client, http.MethodPost, url, "x")
				codes <- code
			}()
			<-reached
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				fx.stop()
			}()
			if test.want == 200 {
				eventually(t, "new clients are refused", func() bool {
					conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
					if err == nil {
						_ = conn.Close()
					}
					return err != nil
				})
				close(release)
			}
			// a request that was cut gets 502, or no answer at all
			if code := <-codes; code != test.want && (test.want == 200 || code != http.StatusBadGateway) {
				t.Errorf("answer %d, want %d", code, test.want)
			}
			<-stopped
		})
	}
}

// TestOtherProtocols has ports that are not TCP. A Warning says once that nobody answers there.
func TestOtherProtocols(t *testing.T) {
	fx := start(t, Options{})
	ports := func(list ...corev1.ServicePort) func(*corev1.Service) {
		return func(s *corev1.Service) { s.Spec.Ports = append(s.Spec.Ports, list...) }
	}
	dns := corev1.ServicePort{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP}
	sctp := corev1.ServicePort{Name: "diameter", Port: 3868, Protocol: corev1.ProtocolSCTP}
	fx.service("web", ports(dns))
	fx.service("both", ports(dns, sctp))
	fx.service("plain")
	change := func(name string, change func(*corev1.Service) error) {
		if _, err := store.Modify(fx.store, "default", name, change); err != nil {
			t.Fatal(err)
		}
	}
	// another change of it says nothing, another port does
	change("web", func(s *corev1.Service) error { s.Labels = map[string]string{"a": "b"}; return nil })
	change("plain", func(s *corev1.Service) error { s.Spec.Ports = append(s.Spec.Ports, sctp); return nil })
	want := []string{
		"both: Services carry TCP only here, so nobody answers on 53/UDP, 3868/SCTP, which a cluster would serve: let clients on this machine ask the Pod itself",
		"plain: Services carry TCP only here, so nobody answers on 3868/SCTP, which a cluster would serve: let clients on this machine ask the Pod itself",
		"web: Services carry TCP only here, so nobody answers on 53/UDP, which a cluster would serve: let clients on this machine ask the Pod itself",
	}
	eventually(t, "all is said", func() bool { return len(fx.events("UnsupportedProtocol")) >= len(want) })
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(fx.events("UnsupportedProtocol")))); diff != "" {
		t.Error(diff)
	}
}
