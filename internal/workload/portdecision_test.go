package workload

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

// TestDecideServicePort goes through every view there is.
func TestDecideServicePort(t *testing.T) {
	uses := map[PortUse]string{PortFree: "free", PortOneAddress: "one address", PortUnseen: "unseen", PortEverywhere: "everywhere"}
	binds := map[BindResult]string{BindUntried: "", BindInUse: ", in use", BindDenied: ", denied"}
	want := map[string]PortDecision{
		"free": PortOpen, "free, in use": PortElsewhere, "free, denied": PortUnprivileged,
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
		"may take it":                     {wishes: []PortWish{{Origin: web, Port: 8080}}, want: map[int32]PortClaim{8080: {Use: PortUnseen, Origin: web}}},
		"has it fixed":                    {wishes: []PortWish{{Origin: web, Port: 8080, Fixed: true}}, want: map[int32]PortClaim{8080: {Use: PortUnseen, Origin: web, Fixed: true}}},
		"is known to obey":                {wishes: []PortWish{{Origin: web, Port: 8080, Obeys: true}}, want: map[int32]PortClaim{}},
		"is known to take one address":    {wishes: []PortWish{{Origin: web, Port: 8080, Narrow: true}}, want: map[int32]PortClaim{8080: {Use: PortOneAddress, Origin: web}}},
		"has shown that it obeys":         {wishes: []PortWish{{Origin: web, Port: 8080}}, pods: []PodPorts{{Origin: web, Private: []int32{8080}}}, want: map[int32]PortClaim{}},
		"another one has shown":           {wishes: []PortWish{{Origin: web, Port: 8080}}, pods: []PodPorts{{Origin: db, Private: []int32{8080}}}, want: map[int32]PortClaim{8080: {Use: PortUnseen, Origin: web}}},
		"has shown another port":          {wishes: []PortWish{{Origin: web, Port: 8080}}, pods: []PodPorts{{Origin: web, Private: []int32{9090}}}, want: map[int32]PortClaim{8080: {Use: PortUnseen, Origin: web}}},
		"listens at every address":        {wishes: []PortWish{{Origin: web, Port: 8080}}, pods: []PodPorts{bound(everywhere)}, want: map[int32]PortClaim{8080: {Use: PortEverywhere, Origin: web, Pod: pod}}},
		"at every one of IPv6, too":       {wishes: []PortWish{{Origin: web, Port: 8080}}, pods: []PodPorts{bound(v6)}, want: map[int32]PortClaim{8080: {Use: PortEverywhere, Origin: web, Pod: pod}}},
		"listens at one address":          {wishes: []PortWish{{Origin: web, Port: 8080}}, pods: []PodPorts{bound(one)}, want: map[int32]PortClaim{8080: {Use: PortOneAddress, Origin: web, Pod: pod}}},
		"one does, another may":           {wishes: []PortWish{{Origin: web, Port: 8080}, {Origin: db, Port: 8080}}, pods: []PodPorts{bound(one)}, want: map[int32]PortClaim{8080: {Use: PortUnseen, Origin: db}}},
		"one has it all, another may":     {wishes: []PortWish{{Origin: web, Port: 8080}, {Origin: db, Port: 8080}}, pods: []PodPorts{bound(everywhere)}, want: map[int32]PortClaim{8080: {Use: PortEverywhere, Origin: web, Pod: pod}}},
		"a Pod that no manifest asks for": {pods: []PodPorts{bound(everywhere)}, want: map[int32]PortClaim{8080: {Use: PortEverywhere, Origin: web, Pod: pod}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, PortClaims(test.wishes, test.pods)); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
		})
	}
}
