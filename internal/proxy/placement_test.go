package proxy

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/workload"
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

func (c *testClaims) now(map[types.NamespacedName]*corev1.Pod) map[int32]workload.PortClaim {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := types.NamespacedName{Namespace: "default", Name: "a"}
	claim := workload.PortClaim{Use: c.use, Origin: workload.Origin{Kind: "Pod", Name: a}}
	if c.use != workload.PortUnseen {
		claim.Pod = a
	}
	return map[int32]workload.PortClaim{c.port: claim}
}
