package drill

import (
	"net/netip"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/proxy"
)

// A client's port may be the one of a program's connection to another Service, at the same time.
func TestBook(t *testing.T) {
	web, db := types.NamespacedName{Namespace: "default", Name: "web"}, types.NamespacedName{Namespace: "default", Name: "db"}
	client := netip.MustParseAddrPort("127.0.0.1:40000")
	var b book
	for _, service := range []types.NamespacedName{web, db} {
		b.write(proxy.LedgerEntry{Service: service, Port: 80, Client: client, Pod: types.NamespacedName{Name: service.Name + "-1"}})
	}
	if e, ok := b.find(caller{web, 80, client}); !ok || e.Pod.Name != "web-1" {
		t.Errorf("the request to web went to %q", e.Pod.Name)
	}
	if b.clear(); len(b.entries) != 0 {
		t.Errorf("%d entries are left", len(b.entries))
	}
}
