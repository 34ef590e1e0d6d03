package system

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/names"
	"github.com/probity-run/probity/internal/store"
)

// run keeps the hosts files up to date until the context is done.
func (n *hostNames) run(ctx context.Context) error {
	var resolving sync.WaitGroup
	defer resolving.Wait()
	asked := make(chan struct{}, 1)
	resolving.Go(func() { n.resolveExternal(ctx, asked) })
	for {
		watch, err := n.store.Watch(store.WatchOptions{Kinds: []store.Object{&corev1.Service{}, &discoveryv1.EndpointSlice{}}})
		if err != nil {
			return fmt.Errorf("cannot follow Services: %w", err)
		}
		switch err := n.follow(ctx, watch, asked); {
		case ctx.Err() != nil:
			return nil
		case !apierrors.IsResourceExpired(err):
			return fmt.Errorf("cannot follow Services: %w", err)
		}
	}
}

// follow brings the hosts files up to date after each change, or all changes that come at once.
func (n *hostNames) follow(ctx context.Context, watch *store.Watch, asked chan<- struct{}) error {
	atOnce, cancel := context.WithCancel(ctx)
	cancel()
	for {
		_, err := watch.Next(ctx)
		for err == nil {
			_, err = watch.Next(atOnce)
		}
		if !errors.Is(err, context.Canceled) || ctx.Err() != nil {
			return err
		}
		n.refresh()
		offer(asked)
	}
}

// refresh rewrites the hosts files that say something else now.
func (n *hostNames) refresh() {
	n.mu.Lock()
	defer n.mu.Unlock()
	records := n.currentRecords()
	if slices.Equal(records, n.records) {
		return
	}
	n.records = records
	machine := n.host.hosts()
	for _, p := range n.pods {
		if err := p.write(records, machine); err != nil {
			n.log.Error("Cannot write the Pod's hosts file", "pod", p.pod.Name, "error", err)
		}
	}
}

// currentRecords are the records of the objects as they are now. The caller holds the lock.
func (n *hostNames) currentRecords() []names.Record {
	endpoints, _ := store.List[*discoveryv1.EndpointSlice](n.store, store.Selector{})
	return names.Records(names.Cluster{Services: n.services(), Slices: endpoints, External: n.external})
}

const resolvePeriod = 30 * time.Second

// resolveExternal asks for the addresses of ExternalNames, at once when Services have changed, and
// again and again.
func (n *hostNames) resolveExternal(ctx context.Context, asked <-chan struct{}) {
	again := time.NewTicker(resolvePeriod)
	defer again.Stop()
	known := ""
	for {
		select {
		case <-asked:
			if outside := strings.Join(names.ExternalNames(n.services()), " "); outside == known {
				continue
			}
		case <-again.C:
		case <-ctx.Done():
			return
		}
		outside := names.ExternalNames(n.services())
		known = strings.Join(outside, " ")
		if len(outside) == 0 {
			continue
		}
		n.learn(ctx, outside)
	}
}

// learn finds the addresses of names outside and tells the Pods. A name that is not found any more
// keeps the addresses that it had.
func (n *hostNames) learn(ctx context.Context, outside []string) {
	for _, name := range outside {
		addresses, err := n.resolve(ctx, name)
		if ctx.Err() != nil {
			return
		}
		n.mu.Lock()
		if err == nil {
			n.external[name] = addresses
		}
		missing := len(n.external[name]) == 0
		n.mu.Unlock()
		if missing {
			n.reportMissing(name, err)
		}
	}
	n.refresh()
}

// reportMissing records that a name outside is not found, at each Service that leads to it.
func (n *hostNames) reportMissing(name string, err error) {
	for _, s := range n.services() {
		if !slices.Contains(names.ExternalNames([]*corev1.Service{s}), name) {
			continue
		}
		n.store.Record(store.Occurrence{
			About: corev1.ObjectReference{
				APIVersion: "v1", Kind: "Service", Namespace: s.Namespace, Name: s.Name, UID: s.UID, ResourceVersion: s.ResourceVersion, FieldPath: "spec.externalName",
			},
			Type: corev1.EventTypeWarning, Reason: "NameNotFound", Component: "probity",
			Message: fmt.Sprintf("programs do not find %s, as %s has no address here: %v", s.Name, name, err),
		})
	}
}
