package proxy

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/workload"
	"github.com/probity-run/probity/test/ports"
)

// canListen checks that nobody listens at an address any more. Somebody else's connection may have
// its own end there for a moment, which hinders who listens; who connects is refused then.
func canListen(t *testing.T, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err == nil {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		return
	}
	conn, refused := net.DialTimeout("tcp", address, 10*time.Second)
	if !errors.Is(refused, syscall.ECONNREFUSED) {
		t.Errorf("the address was not given up: %v; and who connects is not refused: %v", err, refused)
	}
	if refused == nil {
		conn.Close()
	}
}

// TestSubstituteIsGivenUp: a number at which a Service is served instead of its own is left to a
// Pod, too, and the Service gets another one.
func TestSubstituteIsGivenUp(t *testing.T) {
	needsAddresses(t)
	for _, use := range []workload.PortUse{workload.PortUnseen, workload.PortEverywhere} {
		stranger, err := net.Listen("tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		defer stranger.Close()
		port := stranger.Addr().(*net.TCPAddr).Port
		claims := claimed(0, workload.PortFree)
		fx := start(t, Options{Claims: claims.now})
		before := fx.service("web", onPort(port), atOwnAddress("127.64.0.6"))
		_, number, _ := net.SplitHostPort(before)
		var substitute int32
		if _, err := fmt.Sscan(number, &substitute); err != nil || number == fmt.Sprint(port) {
			t.Fatalf("at %s, %v", before, err)
		}
		if !fx.proxy.HoldsPort(substitute) {
			t.Errorf("the proxy does not hold %d", substitute)
		}
		claims.mu.Lock()
		claims.port = substitute
		claims.mu.Unlock()
		claims.set(use)
		fx.proxy.MakeRoom()
		canListen(t, ":"+number)
		if fx.proxy.HoldsPort(substitute) {
			t.Errorf("the proxy still holds %d", substitute)
		}
		fx.proxy.mu.Lock()
		sp := fx.proxy.ports[portKey{types.NamespacedName{Namespace: "default", Name: "web"}, int32(port)}]
		fx.proxy.mu.Unlock()
		if after := sp.address(); after == before || after == "" {
			t.Errorf("at %q, before at %s", after, before)
		}
	}
}

// TestSharedAddressIsGivenUp: a program that listens at 127.0.0.1 gets that, and the Service keeps
// its own address.
func TestSharedAddressIsGivenUp(t *testing.T) {
	needsAddresses(t)
	port := ports.Free(t)
	claims := claimed(int32(port), workload.PortFree)
	fx := start(t, Options{Claims: claims.now})
	own := fx.service("web", onPort(port), atOwnAddress("127.64.0.7"))
	if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
		t.Fatal(listener.Close(), "nobody listened at 127.0.0.1")
	}
	claims.set(workload.PortOneAddress)
	fx.proxy.MakeRoom()
	canListen(t, fmt.Sprintf("127.0.0.1:%d", port))
	fx.annotation(manifest.AnnotationAddress+fmt.Sprint(port), own)
	if want := fmt.Sprintf("127.64.0.7:%d", port); own != want {
		t.Errorf("at %s, want %s", own, want)
	}
}

// TestPortThatNobodyTakes: when the time of a Pod's turn is over, the Service is served at its own
// number and says why that was late; 127.0.0.1 is left to the Pod.
func TestPortThatNobodyTakes(t *testing.T) {
	needsAddresses(t)
	port := ports.Free(t)
	claims := claimed(int32(port), workload.PortUnseen)
	over := time.Now().Add(200 * time.Millisecond)
	fx := start(t, Options{Claims: func(pods map[types.NamespacedName]*corev1.Pod) (map[int32]workload.PortClaim, time.Duration) {
		left := max(0, time.Until(over))
		if left == 0 {
			claims.set(workload.PortUnused)
		}
		now, _ := claims.now(pods)
		return now, left
	}})
	own := fmt.Sprintf("127.64.0.8:%d", port)
	if got := fx.service("web", onPort(port), atOwnAddress("127.64.0.8")); got != own {
		t.Errorf("at %s, want %s", got, own)
	}
	canListen(t, fmt.Sprintf("127.0.0.1:%d", port))
	want := fmt.Sprintf("web: Serving port %d at %s: Pod a declares it, but has not listened there, nor where PORT says; ", port, own)
	if e := fx.events("PortUnused"); len(e) != 1 || !strings.HasPrefix(e[0], want) || !strings.Contains(e[0], "$(PORT)") {
		t.Errorf("Events %q, want %q", e, want)
	}
}
