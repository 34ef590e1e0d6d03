package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
	"github.com/probity-run/probity/test/ports"
)

// testClaims is the claim of one port number, by Pod a.
type testClaims struct {
	port int32

	mu  sync.Mutex
	use workload.PortUse // guarded by mu
}

func claimed(port int32, use workload.PortUse) *testClaims { return &testClaims{port: port, use: use} }

func (c *testClaims) set(use workload.PortUse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.use = use
}

func (c *testClaims) now(map[types.NamespacedName]*corev1.Pod) (map[int32]workload.PortClaim, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := types.NamespacedName{Namespace: "default", Name: "a"}
	claim := workload.PortClaim{Use: c.use, Origin: workload.Origin{Kind: "Pod", Name: a}}
	if c.use != workload.PortUnseen && c.use != workload.PortUnused {
		claim.Pod = a
	}
	return map[int32]workload.PortClaim{c.port: claim}, 0
}

// atOwnAddress gives a Service an address that no other test uses at the same time.
func atOwnAddress(address string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.ClusterIP = address }
}

// needsAddresses skips a test where the machine has no addresses but 127.0.0.1, as macOS.
func needsAddresses(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.64.0.1:0")
	if err != nil {
		t.Skip("127.0.0.1 is the only loopback address here")
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
}

// showPorts changes what a Pod has shown, so that the proxy looks at the claims again.
func (fx *fixture) showPorts(pod, value string) {
	fx.t.Helper()
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: pod, Labels: map[string]string{"app": "web"}}}
	if _, err := store.Get[*corev1.Pod](fx.store, "default", pod); err != nil {
		if _, err := store.Create(fx.store, p); err != nil {
			fx.t.Fatal(err)
		}
	}
	if _, err := store.Modify(fx.store, "default", pod, func(p *corev1.Pod) error {
		metav1.SetMetaDataAnnotation(&p.ObjectMeta, manifest.AnnotationListening, value)
		return nil
	}); err != nil {
		fx.t.Fatal(err)
	}
}

// annotation waits until an annotation of Service web has a value.
func (fx *fixture) annotation(key, want string) {
	fx.t.Helper()
	eventually(fx.t, fmt.Sprintf("%s is %q", key, want), func() bool {
		s, err := store.Get[*corev1.Service](fx.store, "default", "web")
		return err == nil && s.Annotations[key] == want
	})
}

// TestPortIsGivenUpAndTakenBack: a port with an address of its own is given up for a program that
// may need the number, and taken back when that does not. What is under way goes on.
func TestPortIsGivenUpAndTakenBack(t *testing.T) {
	needsAddresses(t)
	port := ports.Free(t)
	claims := claimed(int32(port), workload.PortFree)
	fx := start(t, Options{Claims: claims.now})
	own := fmt.Sprintf("127.64.0.2:%d", port)
	address := manifest.AnnotationAddress + fmt.Sprint(port)
	if got := fx.service("web", onPort(port), atOwnAddress("127.64.0.2")); got != own {
		t.Fatalf("at %s, want %s", got, own)
	}
	release := make(chan struct{})
	a := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-release
		}
		fmt.Fprint(w, "a")
	})
	fx.endpoints("web", at("a", a.address))
	for _, at := range []string{own, fmt.Sprintf("127.0.0.1:%d", port)} {
		if code, body := get(client(t), "http://"+at); code != 200 || body != "a" {
			t.Errorf("at %s: %d %s", at, code, body)
		}
	}
	eventually(t, "nothing is in flight", func() bool { return fx.state().InFlight == 0 }) // a client has its answer before that
	slow := make(chan string)
	go func() {
		_, body := get(client(t), "http://"+own+"/slow")
		slow <- body
	}()
	eventually(t, "a request under way", func() bool { return fx.state().InFlight == 1 })

	claims.set(workload.PortUnseen)
	fx.proxy.MakeRoom()
	// at once: a program can listen at every address now
	everywhere, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		t.Fatalf("the number was not given up: %v", err)
	}
	if err := everywhere.Close(); err != nil {
		t.Fatal(err)
	}
	fx.annotation(address, "")
	close(release)
	if body := <-slow; body != "a" {
		t.Errorf("the request under way got %q", body)
	}
	if code, _ := get(client(t), "http://"+own); code != 0 {
		t.Errorf("status %d from a port that was given up", code)
	}

	claims.set(workload.PortFree)
	fx.showPorts("p", "shown")
	fx.annotation(address, own)
	if code, body := get(client(t), "http://"+own); code != 200 || body != "a" {
		t.Errorf("%d %s", code, body)
	}
	if want := fmt.Sprintf("web: Serving port %d at %s and 127.0.0.1:%[1]d", port, own); len(fx.events("Listening")) == 0 || fx.events("Listening")[0] != want {
		t.Errorf("Events %q, want %q", fx.events("Listening"), want)
	}
	if e := fx.events("ListenerFailed"); len(e) > 0 {
		t.Errorf("Events %q", e)
	}
}

// TestAnotherProgramHasThePort: of a Service whose number another program has at every address, the
// names are left out, as they would lead there, and it is served at another number. When the
// program has gone, all is as declared.
func TestAnotherProgramHasThePort(t *testing.T) {
	needsAddresses(t)
	for name, listen := range map[string]string{"of IPv4": "tcp4", "of both": "tcp"} {
		t.Run(name, func(t *testing.T) {
			port := ports.Free(t)
			stranger, err := net.Listen(listen, fmt.Sprintf(":%d", port))
			if err != nil {
				t.Fatal(err)
			}
			defer stranger.Close()
			fx := start(t, Options{})
			got := fx.service("web", onPort(port), atOwnAddress("127.64.0.3"))
			reason := fmt.Sprintf("port %d is in use by another program", port)
			if host, number, _ := net.SplitHostPort(got); host != "127.64.0.3" || number == fmt.Sprint(port) {
				t.Errorf("at %s", got)
			}
			fx.annotation(manifest.AnnotationUnnamed, reason)
			if e := fx.events("PortTaken"); len(e) != 1 || !strings.HasPrefix(e[0], fmt.Sprintf("web: %s; port %d of this Service is at %s instead, and the name web is left out", reason, port, got)) {
				t.Errorf("Events %q", e)
			}
			if err := stranger.Close(); err != nil {
				t.Fatal(err)
			}
			fx.showPorts("p", "shown")
			fx.annotation(manifest.AnnotationUnnamed, "")
			fx.annotation(manifest.AnnotationAddress+fmt.Sprint(port), fmt.Sprintf("127.64.0.3:%d", port))
		})
	}
}

// TestWhoCanListenBesideWhom holds the facts on which the decisions stand: a socket at one address
// and one at every address exclude each other in both orders, any other two do not.
func TestWhoCanListenBesideWhom(t *testing.T) {
	needsAddresses(t)
	for _, other := range []struct {
		network, host string
		beside        bool
	}{
		{"tcp4", "0.0.0.0", false}, {"tcp", "", false}, {"tcp4", "127.64.0.4", false},
		{"tcp4", "127.0.0.1", true}, {"tcp4", "127.64.0.5", true}, {"tcp6", "::1", true}, {"tcp6", "::", true},
	} {
		for _, oursFirst := range []bool{true, false} {
			port := ports.Free(t)
			first := func() (io.Closer, error) { return listenOn(netip.MustParseAddr("127.64.0.4"), port) }
			second := func() (io.Closer, error) {
				return net.Listen(other.network, net.JoinHostPort(other.host, fmt.Sprint(port)))
			}
			if !oursFirst {
				first, second = second, first
			}
			a, err := first()
			if err != nil {
				t.Fatalf("%s %q: %v", other.network, other.host, err)
			}
			b, err := second()
			if (err == nil) != other.beside {
				t.Errorf("ours first %v, beside %s %q: error %v, want one: %v", oursFirst, other.network, other.host, err, !other.beside)
			}
			if err == nil {
				_ = b.Close()
			}
			_ = a.Close()
		}
	}
}
