package system

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/proxy"
)

// Routing is how requests get from Services to Pods. The zero value is Probity's own way, which
// spares requests what it can.
type Routing struct {
	// AsCluster, if not nil, routes as kube-proxy does, and the signal that stops a Pod is held
	// back for no request.
	AsCluster *proxy.AsCluster
	// Ledger, if not nil, gets each request when it has ended. It is called from many goroutines
	// and must not wait.
	Ledger func(proxy.LedgerEntry)
}

// traffic is what the node knows of the way of requests.
func (r Routing) traffic(pods podTraffic) node.Traffic {
	if r.AsCluster != nil {
		return clusterTraffic{pods}
	}
	return pods
}

// clusterTraffic is a proxy of which the node learns as much as a kubelet does: nothing.
type clusterTraffic struct{ podTraffic }

// Drained is closed at once.
func (clusterTraffic) Drained(types.UID) <-chan struct{} {
	at := make(chan struct{})
	close(at)
	return at
}
