package survey

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/kube"
)

const (
	// maxAsked is how many kubelets are asked at the same time, and askTime how long each may take.
	maxAsked = 8
	askTime  = 2 * time.Second
	// maxMetrics is how many bytes of one kubelet are read: some 100 for each result of each probe.
	maxMetrics = 16 << 20
)

// metrics asks the kubelets of the nodes that have Pods for the counters of their probes, if that
// is allowed already. Nobody is told to allow it: who may ask a kubelet so may run programs in any
// Pod.
func (s *Survey) metrics(ctx context.Context) error {
	if len(s.nodes) == 0 {
		return nil
	}
	if s.access.Forbids("get", "", "nodes/proxy") {
		s.NotSeen = append(s.NotSeen, "nodes/proxy (forbidden)")
		return nil
	}
	var mu sync.Mutex // guards what is seen, and what follows
	var forbidden, silent int
	var absent atomic.Bool // this is no cluster of kubelets
	names := make(chan string)
	var workers sync.WaitGroup
	for range min(maxAsked, len(s.nodes)) {
		workers.Go(func() {
			for node := range names {
				text, err := s.askNode(ctx, node)
				mu.Lock()
				s.Requests++
				switch {
				case err == nil:
					err = s.Seen.AddMetrics(bytes.NewReader(text))
				case apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err):
					absent.Store(true)
					err = nil
				case apierrors.IsForbidden(err):
					forbidden++
					err = nil
				}
				if err != nil {
					silent++
				}
				mu.Unlock()
			}
		})
	}
	for _, node := range s.nodes {
		if absent.Load() {
			break
		}
		names <- node
	}
	close(names)
	workers.Wait()
	if forbidden > 0 {
		s.NotSeen = append(s.NotSeen, "nodes/proxy (forbidden)")
	}
	if silent > 0 {
		s.NotSeen = append(s.NotSeen, fmt.Sprintf("nodes/proxy (%d of %d kubelets did not answer)", silent, len(s.nodes)))
	}
	return context.Cause(ctx)
}

// askNode reads the counters of one kubelet.
func (s *Survey) askNode(ctx context.Context, node string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	body, err := s.client.NodeMetrics(ctx, node, "/metrics/probes")
	if err != nil {
		return nil, err
	}
	defer body.Close() // it was only read
	return io.ReadAll(io.LimitReader(body, maxMetrics))
}

func kindResource(k kube.Kind) schema.GroupResource {
	return schema.GroupResource{Group: k.Group, Resource: k.Plural}
}
