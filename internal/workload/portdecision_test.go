package workload

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
)

// TestDecideServicePort goes through every view there is.
func TestDecideServicePort(t *testing.T) {
	uses := map[PortUse]string{PortFree: "free", PortUnused: "unused", PortOneAddress: "one address", PortUnseen: "unseen", PortEverywhere: "everywhere"}
	binds := map[BindResult]string{BindUntried: "", BindInUse: ", in use", BindDenied: ", denied"}
	want := map[string]PortDecision{
		"free": PortOpen, "free, in use": PortElsewhere, "free, denied": PortUnprivileged,
		"unused": PortOpen, "unused, in use": PortElsewhere, "unused, denied": PortUnprivileged,
		"one address": PortOpen, "one address, in use": PortElsewhere, "one address, denied": PortUnprivileged,
		"unseen": PortWait, "unseen, in use": PortWait, "unseen, denied": PortWait,
		"everywhere": PortElsewhere, "everywhere, in use": PortElsewhere, "everywhere, denied": PortElsewhere,
	}
	for use, useName := range uses {
		for bind, bindName := range binds {
			for _, straight := range []bool{false, true} {
				name := useName + bindName
				expected := want[name]
				if straight && use == PortEverywhere {
					expected = PortStraight
				}
				if got := DecideServicePort(PortView{Claim: PortClaim{Use: use}, Straight: straight, Bind: bind}); got != expected {
					t.Errorf("%s, straight %v: %d, want %d", name, straight, got, expected)
				}
				shared := PortElsewhere
				if use == PortFree {
					shared = expected
				}
				if got := DecideServicePort(PortView{Claim: PortClaim{Use: use}, Straight: straight, Bind: bind, Shared: true}); got != shared {
					t.Errorf("shared, %s, straight %v: %d, want %d", name, straight, got, shared)
				}
			}
		}
	}
	if len(want) != len(uses)*len(binds) {
		t.Error(fmt.Sprint("not every view is in the table: ", len(want)))
	}
}

func TestPortClaims(t *testing.T) {
	web := Origin{"Deployment", types.NamespacedName{Namespace: "default", Name: "web"}}
	db := Origin{"Pod", types.NamespacedName{Namespace: "default", Name: "db"}}
	pod := types.NamespacedName{Namespace: "default", Name: "web-1"}
	everywhere, v6, one := netip.IPv4Unspecified(), netip.IPv6Unspecified(), netip.MustParseAddr("127.0.0.1")
	bound := func(a netip.Addr) PodPorts {
		return PodPorts{Origin: web, Name: pod, Bound: map[int32]netip.Addr{8080: a}}
	}
	for name, test := range map[string]struct {
		wishes []PortWish
		pods   []PodPorts
		want   map[int32]PortClaim
	}{
		"nothing":                         {want: map[int32]PortClaim{}},
		"may take it":                     {wishes: []PortWish{{Origin: web, Port: 8080, Waits: true}}, want: map[int32]PortClaim{8080: {Use: PortUnseen, Origin: web}}},
		"has it fixed":                    {wishes: []PortWish{{Origin: web, Port: 8080, Fixed: true, Waits: true}}, want: map[int32]PortClaim{8080: {Use: PortUnseen, Origin: web, Fixed: true}}},
		"is known to obey":                {wishes: []PortWish{{Origin: web, Port: 8080, Obeys: true}}, want: map[int32]PortClaim{}},
		"is known to take one address":    {wishes: []PortWish{{Origin: web, Port: 8080, Narrow: true}}, want: map[int32]PortClaim{8080: {Use: PortOneAddress, Origin: web}}},
		"has shown that it obeys":         {wishes: []PortWish{{Origin: web, Port: 8080, Waits: true}}, pods: []PodPorts{{Origin: web, Private: []int32{8080}}}, want: map[int32]PortClaim{}},
		"another one has shown":           {wishes: []PortWish{{Origin: web, Port: 8080, Waits: true}}, pods: []PodPorts{{Origin: db, Private: []int32{8080}}}, want: map[int32]PortClaim{8080: {Use: PortUnseen, Origin: web}}},
		"has shown another port":          {wishes: []PortWish{{Origin: web, Port: 8080, Waits: true}}, pods: []PodPorts{{Origin: web, Private: []int32{9090}}}, want: map[int32]PortClaim{8080: {Use: PortUnseen, Origin: web}}},
		"listens at every address":        {wishes: []PortWish{{Origin: web, Port: 8080, Waits: true}}, pods: []PodPorts{bound(everywhere)}, want: map[int32]PortClaim{8080: {Use: PortEverywhere, Origin: web, Pod: pod}}},
		"at every one of IPv6, too":       {wishes: []PortWish{{Origin: web, Port: 8080, Waits: true}}, pods: []PodPorts{bound(v6)}, want: map[int32]PortClaim{8080: {Use: PortEverywhere, Origin: web, Pod: pod}}},
		"listens at one address":          {wishes: []PortWish{{Origin: web, Port: 8080, Waits: true}}, pods: []PodPorts{bound(one)}, want: map[int32]PortClaim{8080: {Use: PortOneAddress, Origin: web, Pod: pod}}},
		"one does, another may":           {wishes: []PortWish{{Origin: web, Port: 8080}, {Origin: db, Port: 8080, Waits: true}}, pods: []PodPorts{bound(one)}, want: map[int32]PortClaim{8080: {Use: PortUnseen, Origin: db}}},
		"one has it all, another may":     {wishes: []PortWish{{Origin: web, Port: 8080}, {Origin: db, Port: 8080, Waits: true}}, pods: []PodPorts{bound(everywhere)}, want: map[int32]PortClaim{8080: {Use: PortEverywhere, Origin: web, Pod: pod}}},
		"was left it in vain":             {wishes: []PortWish{{Origin: web, Port: 8080}}, want: map[int32]PortClaim{8080: {Use: PortUnused, Origin: web}}},
		"a Pod has its turn":              {wishes: []PortWish{{Origin: web, Port: 8080}}, pods: []PodPorts{{Origin: web, Name: pod, Unseen: map[int32]bool{8080: true}}}, want: map[int32]PortClaim{8080: {Use: PortUnseen, Origin: web}}},
		"a Pod has had its turn":          {pods: []PodPorts{{Origin: web, Name: pod, Unseen: map[int32]bool{8080: false}}}, want: map[int32]PortClaim{8080: {Use: PortUnused, Origin: web}}},
		"an older version has shown":      {wishes: []PortWish{{Origin: web, Program: "new", Port: 8080, Waits: true}}, pods: []PodPorts{{Origin: web, Program: "old", Private: []int32{8080}}}, want: map[int32]PortClaim{8080: {Use: PortUnseen, Origin: web}}},
		"a Pod that no manifest asks for": {pods: []PodPorts{bound(everywhere)}, want: map[int32]PortClaim{8080: {Use: PortEverywhere, Origin: web, Pod: pod}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, PortClaims(test.wishes, test.pods)); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzPodPorts reads the node's notes, which anybody who writes to the store may have changed.
func FuzzPodPorts(f *testing.F) {
	f.Add("8080=0.0.0.0,9090=127.0.0.1", "8080,9090")
	f.Add("=,8080=,70000=::,8080=::%lo", "-1,,x")
	f.Fuzz(func(t *testing.T, bound, private string) {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{manifest.AnnotationBound: bound, manifest.AnnotationListening: private}}}
		for port, to := range BoundPorts(pod) {
			if port < 0 || port > 65535 || !to.IsValid() {
				t.Errorf("port %d is bound to %s", port, to)
			}
		}
		for _, port := range PrivatePorts(pod) {
			if port < 0 || port > 65535 {
				t.Errorf("port %d", port)
			}
		}
	})
}
