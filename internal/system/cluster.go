package system

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// The objects that clients find on every cluster: Namespaces, and the Node that this machine is
// with its Lease.

const (
	// leaseTime is how long a kubelet that does not renew its Lease counts as alive, and
	// leasePeriod how often it does.
	leaseTime   = 40 * time.Second
	leasePeriod = leaseTime / 4
)

// createCluster makes the objects of the cluster. Nothing else is in the store yet.
func (s *System) createCluster() error {
	for _, name := range []string{metav1.NamespaceDefault, metav1.NamespaceSystem, corev1.NamespaceNodeLease} {
		if err := ensureNamespace(s.registry, name); err != nil {
			return err
		}
	}
	created, err := registry.Create(s.registry, newNode(thisMachine(), s.opts.MaxPods, time.Now()))
	if err != nil {
		return fmt.Errorf("cannot create the Node: %w", err)
	}
	lease := &coordinationv1.Lease{
		TypeMeta: metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: corev1.NamespaceNodeLease, Name: created.Name,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: created.Name, UID: created.UID}},
		},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: new(created.Name), LeaseDurationSeconds: new(int32(leaseTime / time.Second)), RenewTime: new(metav1.NowMicro()),
		},
	}
	if _, err := registry.Create(s.registry, lease); err != nil {
		return fmt.Errorf("cannot create the Lease of the Node: %w", err)
	}
	return nil
}

// ensureNamespace makes a Namespace unless it is there.
func ensureNamespace(r *registry.Registry, name string) error {
	_, err := registry.Create(r, &corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: name}})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("cannot create namespace %s: %w", name, err)
	}
	return nil
}

// renewLease says now and then that the Node is alive, until the context is done. A Lease that
// somebody has deleted stays away.
func (s *System) renewLease(ctx context.Context) error {
	ticker := time.NewTicker(leasePeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_, err := store.Modify(s.store, corev1.NamespaceNodeLease, node.Name, func(l *coordinationv1.Lease) error {
				l.Spec.RenewTime = new(metav1.NowMicro())
				return nil
			})
			if err := ignoreNotFound(err); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}
