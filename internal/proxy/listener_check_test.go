package proxy

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
	"github.com/probity-run/probity/test/ports"
)

// owners answers who listens where.
type owners struct {
	mu      sync.Mutex
	strange map[types.UID]bool
	asked   []types.UID
}

func (o *owners) check(_ context.Context, pod types.UID, at netip.AddrPort) (netip.AddrPort, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, pod)
	if o.strange[pod] {
		return at, errors.New("somebody else listens there")
	}
	return at, nil
}

func (o *owners) set(pod types.UID, strange bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.strange[pod], o.asked = strange, nil
}

// TestStrangerGetsNoRequest has somebody else listen at the address of a Pod that is ready.
func TestStrangerGetsNoRequest(t *testing.T) {
	who := &owners{strange: map[types.UID]bool{"a": true}}
	fx := start(t, Options{CheckListener: who.check})
	url := "http://" + fx.service("web")
	a, b := fx.replica("a", nil), fx.replica("b", nil)
	fx.endpoints("web", at("a", a.address), at("b", b.address))
	client := client(t)
	for range 10 {
		if code, body := get(client, url); code != http.StatusOK || body != "b" {
			t.Errorf("%d %s, want b", code, body)
		}
	}
	fx.endpoints("web", at("a", a.address))
	if code, body := get(client, url); code != http.StatusServiceUnavailable || !strings.Contains(body, "no request for Pod a: somebody else listens there") {
		t.Errorf("%d %s", code, body)
	}
	eventually(t, "an Event says so", func() bool {
		return slices.ContainsFunc(fx.events("OutOfRotation"), func(e string) bool { return strings.Contains(e, "somebody else listens there") })
	})
	if n := a.seen.Load(); n != 0 {
		t.Errorf("the stranger got %d requests", n)
	}

	// as soon as the Pod itself listens, it gets requests, and nobody asks again
	who.set("a", false)
	eventually(t, "it is back in rotation", func() bool { return !fx.state().Endpoints[0].Ejected })
	for range 10 {
		if code, body := get(client, url); code != http.StatusOK || body != "a" {
			t.Errorf("%d %s, want a", code, body)
		}
	}
	who.mu.Lock()
	if !slices.Equal(who.asked, []types.UID{"a"}) {
		t.Errorf("asked about %v, want once about a", who.asked)
	}
	who.mu.Unlock()

	// its next process has to show it anew
	who.set("a", true)
	fx.proxy.Exited("a", "exited with code 0")
	fx.proxy.Admit("a")
	if code, _ := get(client, url); code != http.StatusServiceUnavailable {
		t.Errorf("%d after a restart, want 503", code)
	}
}

// TestStrangerGetsNoConnection is the same with TCP.
func TestStrangerGetsNoConnection(t *testing.T) {
	who := &owners{strange: map[types.UID]bool{"a": true}}
	fx := start(t, Options{CheckListener: who.check})
	address := fx.service("web", named("tcp"))
	a := fx.replica("a", nil)
	fx.endpoints("web", at("a", a.address))
	if code, body := get(client(t), "http://"+address); code != 0 {
		t.Errorf("the client got %d %s, want no answer", code, body)
	}
	if n := a.seen.Load(); n != 0 {
		t.Errorf("the stranger got %d requests", n)
	}
}

// TestReservedPortIsReclaimed frees the port of a Service that was kept for a Pod.
func TestReservedPortIsReclaimed(t *testing.T) {
	port := ports.Free(t)
	claims := claimed(int32(port), workload.PortUnseen)
	fx := start(t, Options{Claims: claims.now})
	first := fx.service("web", onPort(port))
	a := fx.replica("a", nil)
	fx.endpoints("web", at("a", a.address))
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a"}}
	if _, err := store.Create(fx.store, pod); err != nil {
		t.Fatal(err)
	}
	touch := func(value string) {
		if _, err := store.Modify(fx.store, "default", "a", func(p *corev1.Pod) error {
			metav1.SetMetaDataAnnotation(&p.ObjectMeta, manifest.AnnotationListening, value)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	touch("while it is reserved")
	claims.set(workload.PortFree)
	touch("when it is free")
	declared := netip.AddrPortFrom(loopback(), uint16(port)).String()
	eventually(t, "the Service is at its port", func() bool { return fx.address("web", int32(port)) == declared })
	for _, address := range []string{first, declared} {
		if code, body := get(client(t), "http://"+address); code != http.StatusOK || body != "a" {
			t.Errorf("at %s: %d %s", address, code, body)
		}
	}
	if first == declared || len(fx.events("Listening")) != 1 || fx.state().Address != declared {
		t.Errorf("first at %s, then at %s; Events %q", first, fx.state().Address, fx.events("Listening"))
	}
	if err := store.Delete[*corev1.Service](fx.store, "default", "web", store.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{first, declared} {
		eventually(t, "nobody listens at "+address, func() bool { code, _ := get(client(t), "http://"+address); return code == 0 })
	}
}
