package clusterdash

import (
	"context"
	"io"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/advisor/evidence"
	"github.com/probity-run/probity/internal/dashboard"
	"github.com/probity-run/probity/internal/history"
)

const (
	// countTime is how old the counters of a kubelet may be, and countAge after how long those that
	// nobody looks at are forgotten.
	countTime = 10 * time.Second
	countAge  = 5 * time.Minute
	// askTime is how long a kubelet may take, and maxMetrics how many bytes of it are read.
	askTime    = 2 * time.Second
	maxMetrics = 16 << 20
	// maxCount bounds a number that somebody else has written.
	maxCount = 1e12
)

// counters are how often kubelets have asked the probes of Pods that somebody looks at, if the
// kubelets may be asked. It is safe for concurrent use; one goroutine, that of run, asks.
type counters struct {
	ask    func(ctx context.Context, node string) (io.ReadCloser, error)
	now    func() time.Time
	wanted chan string // nodes

	mu      sync.Mutex // guards what follows
	refused time.Time  // when the server has refused; zero if it has not
	nodes   map[string]*nodeCounters
}

// nodeCounters are those of one kubelet.
type nodeCounters struct {
	asked  time.Time // last
	counts map[types.UID]map[history.Key]dashboard.Count
}

func newCounters(ask func(ctx context.Context, node string) (io.ReadCloser, error), now func() time.Time) *counters {
	return &counters{ask: ask, now: now, wanted: make(chan string, 8), nodes: map[string]*nodeCounters{}}
}

// of is what is known of a Pod; it is shared, so it is not to be changed. What is old is asked for.
func (c *counters) of(pod *corev1.Pod) map[history.Key]dashboard.Count {
	if pod.Spec.NodeName == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if !c.refused.IsZero() && now.Sub(c.refused) < countAge {
		return nil
	}
	node := c.nodes[pod.Spec.NodeName]
	if node == nil {
		node = &nodeCounters{}
		c.nodes[pod.Spec.NodeName] = node
	}
	if now.Sub(node.asked) >= countTime {
		select {
		case c.wanted <- pod.Spec.NodeName:
			node.asked = now
		default: // many wait; somebody looks again soon
		}
	}
	return node.counts[pod.UID]
}

// run asks for what is wanted until the context is done.
func (c *counters) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case node := <-c.wanted:
			counts, err := c.read(ctx, node)
			c.take(node, counts, err)
		}
	}
}

// read reads the counters of a kubelet.
func (c *counters) read(ctx context.Context, node string) (map[types.UID]map[history.Key]dashboard.Count, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	body, err := c.ask(ctx, node)
	if err != nil {
		return nil, err
	}
	defer body.Close() // it was only read
	all := map[types.UID]map[history.Key]dashboard.Count{}
	err = evidence.ReadCounters(io.LimitReader(body, maxMetrics), func(labels map[string]string, value float64) {
		uid, key := types.UID(labels["pod_uid"]), history.Key{Container: labels["container"], Type: labels["probe_type"]}
		if all[uid] == nil {
			all[uid] = map[history.Key]dashboard.Count{}
		}
		count := all[uid][key]
		count.At = c.now()
		switch n := int(min(max(value, 0), maxCount)); labels["result"] {
		case "failed":
			count.Failed = n
		case "successful":
			count.Succeeded = n
		}
		all[uid][key] = count
	})
	return all, err
}

// take keeps what a kubelet has told, and forgets what nobody has looked at for long.
func (c *counters) take(name string, counts map[types.UID]map[history.Key]dashboard.Count, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch node := c.nodes[name]; {
	case err == nil && node != nil:
		node.counts = counts
	case apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err):
		c.refused = c.now()
		clear(c.nodes)
		return
	}
	for name, node := range c.nodes {
		if c.now().Sub(node.asked) > countAge {
			delete(c.nodes, name)
		}
	}
}
