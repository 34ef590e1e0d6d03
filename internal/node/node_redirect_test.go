package node

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/probe"
)

// TestRedirect: an attempt that is sent elsewhere tells of the address that people know, and why it
// fails is not looked for in the Pod.
func TestRedirect(t *testing.T) {
	elsewhere := netip.MustParseAddrPort("127.0.0.1:5")
	var asked []string
	redirect := func(_ types.UID, kind lifecycle.ProbeType, p *corev1.Probe, address netip.AddrPort) netip.AddrPort {
		if len(asked) == 0 {
			asked = append(asked, string(kind)+" "+p.HTTPGet.Path+" "+address.String())
		}
		return elsewhere
	}
	playNode(t, func(t *testing.T, n *testNode) {
		n.engine.answer("/ready", answer{result: probe.Result{Outcome: probe.Failure, Output: `Get "http://127.0.0.1:5/ready": dial tcp 127.0.0.1:5: connect: connection refused`}})
		n.sockets.listen(8080, 7)
		n.starter.program("server", behaviour{})
		n.create(examplePodOf(withReadiness("/ready")))
		n.at(30 * time.Second)
		if diff := cmp.Diff([]string{"Readiness /ready 127.0.0.1:41001"}, asked); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
		if got := n.events("PortInUse", "PortMismatch"); len(got) != 0 {
			t.Errorf("Events = %q, want none", got)
		}
		want := `Warning Unhealthy Readiness probe failed: Get "http://127.0.0.1:41001/ready": dial tcp 127.0.0.1:41001: connect: connection refused`
		if got := n.events("Unhealthy"); len(got) == 0 || got[0] != want {
			t.Errorf("Events = %q, want %q", got, want)
		}
	}, func(o *Options) { o.Redirect = redirect })
}

// TestShownAddress: the program is asked for the host that it would be asked for.
func TestShownAddress(t *testing.T) {
	to := target{host: loopback, port: 5, shown: "127.0.0.1:41001"}
	for name, c := range map[string]struct {
		action corev1.HTTPGetAction
		want   []probe.Header
	}{
		"its own host":         {corev1.HTTPGetAction{Path: "/"}, []probe.Header{{Name: "Host", Value: "127.0.0.1:41001"}}},
		"that of the manifest": {corev1.HTTPGetAction{Path: "/", HTTPHeaders: []corev1.HTTPHeader{{Name: "host", Value: "shop"}}}, []probe.Header{{Name: "host", Value: "shop"}}},
	} {
		if got := httpGet(&c.action, to, nil).Headers; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
