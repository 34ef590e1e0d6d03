package system

import (
	"context"
	"errors"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/dependency"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/relay"
	"github.com/probity-run/probity/internal/store"
)

// DependencyOptions are [dependency.Options].
type DependencyOptions = dependency.Options

// errNotWatched is what is said of a system without [DependencyOptions.Watch].
var errNotWatched = errors.New("this run does not watch what its Pods connect to")

// Dependencies lists what the watched Pods have connected to so far, by name.
func (s *System) Dependencies() []dependency.Dependency {
	if s.watcher == nil {
		return nil
	}
	return s.watcher.Dependencies()
}

// SetMode breaks a dependency, until undo: see [dependency.Watcher.SetMode].
func (s *System) SetMode(name string, mode relay.Mode) (undo func() error, err error) {
	if s.watcher == nil {
		return nil, errNotWatched
	}
	return s.watcher.SetMode(name, mode)
}

// BlindSpots lists where dependencies of the watched Pods that run now may be that were not found.
func (s *System) BlindSpots() []dependency.BlindSpot {
	if s.watcher == nil {
		return nil
	}
	return s.watcher.BlindSpots()
}

// CannotWatch is why connections cannot be watched on this machine; nil if they can.
func (s *System) CannotWatch() error {
	if s.watcher == nil {
		return errNotWatched
	}
	return s.watcher.CannotWatch()
}

// starter is what starts the processes of Pods.
func (s *System) starter() process.Starter {
	if s.opts.Dependencies.Watch == nil {
		return s.shepherd
	}
	s.watcher = dependency.New(s.opts.Dependencies, dependency.Host{
		Starter: s.shepherd, TryConnects: s.shepherd.TryConnects, Pod: s.findPod, Notice: s.opts.Notice,
		Services: func() []*corev1.Service {
			services, _ := store.List[*corev1.Service](s.store, store.Selector{})
			return services
		},
		Listens: func(ctx context.Context, pod types.UID, address netip.AddrPort) error {
			_, err := s.node.CheckListener(ctx, pod, address)
			return err
		},
	})
	return s.watcher
}

// findPod finds a Pod by name, or by UID if that is given; nil if there is none.
func (s *System) findPod(namespace, name string, uid types.UID) *corev1.Pod {
	if uid == "" {
		pod, err := store.Get[*corev1.Pod](s.store, namespace, name)
		if err != nil {
			return nil
		}
		return pod
	}
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	for _, pod := range pods {
		if pod.UID == uid {
			return pod
		}
	}
	return nil
}

// endProcesses ends every process, and then what they are connected to.
func (s *System) endProcesses() error {
	err := s.shepherd.Close()
	if s.watcher != nil {
		err = errors.Join(err, s.watcher.Close())
	}
	return err
}
