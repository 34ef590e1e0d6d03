// Package local is Probity as a system for the differential tests: the same system that probity run
// is, in the process of the test. That way its EndpointSlices can be watched too, and a Pod can be
// deleted with another grace period than its own, for which the command line has no words. Tests of
// traffic have its Services served as well, and look at the proxy's state.
package local

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/test/differential/stage"
	"github.com/probity-run/probity/test/differential/trace"
)

// Options of a [System].
type Options struct {
	// Dir is a folder for state and manifests. Required.
	Dir string
	// Player is the path of the player. Required.
	Player string
	// Image is what the containers' image is called. Nothing looks at it.
	Image string
	// MaxRestartPeriod caps the crash-loop back-off.
	MaxRestartPeriod time.Duration
	// Front also serves the Services; see [System.Front].
	Front bool
}

// System is a running Probity. Make it with [Start]; Close ends it.
type System struct {
	opts   Options
	system *system.System
	files  atomic.Int64 // numbers manifests
}

var _ stage.System = (*System)(nil)

// Start starts Probity without a Pod.
func Start(opts Options) (*System, error) {
	s, err := system.New(system.Options{
		StateDir: opts.Dir, MaxRestartPeriod: opts.MaxRestartPeriod, NoServices: !opts.Front,
	})
	if err != nil {
		return nil, err
	}
	if err := s.Start(context.Background()); err != nil {
		return nil, err
	}
	return &System{opts: opts, system: s}, nil
}

// Close kills what is left and waits for it.
func (s *System) Close() error { return s.system.Close() }

// Store holds the objects.
func (s *System) Store() *store.Store { return s.system.Store() }

// Front serves the Services. It is nil without Options.Front.
func (s *System) Front() *proxy.Proxy { return s.system.Proxy() }

// Name implements [stage.System].
func (s *System) Name() string { return "Probity" }

// ContainerSetup implements [stage.System].
func (s *System) ContainerSetup(ledger string) stage.ContainerSetup {
	return stage.ContainerSetup{Player: s.opts.Player, Image: s.opts.Image, Ledger: ledger}
}

// Apply implements [stage.System]: the objects go through a file, so that Probity reads, defaults
// and validates them.
func (s *System) Apply(_ context.Context, namespace string, objects []stage.Object) error {
	var text []byte
	for _, o := range objects {
		o.SetNamespace(namespace)
		data, err := yaml.Marshal(o.Object)
		if err != nil {
			return err
		}
		text = append(append(text, "---\n"...), data...)
	}
	path := filepath.Join(s.opts.Dir, "manifest"+strconv.FormatInt(s.files.Add(1), 10)+".yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	return s.ApplyFile(path)
}

// ApplyFile applies a manifest.
func (s *System) ApplyFile(path string) error {
	_, err := s.system.Apply(context.Background(), []string{path})
	return err
}

// Delete implements [stage.System].
func (s *System) Delete(_ context.Context, namespace, pod string, grace *int64) error {
	return store.Delete[*corev1.Pod](s.Store(), namespace, pod, store.DeleteOptions{Grace: grace})
}

// SetCondition implements [stage.System].
func (s *System) SetCondition(_ context.Context, namespace, pod, condition, status string) error {
	_, err := store.Modify(s.Store(), namespace, pod, func(live *corev1.Pod) error {
		wanted := corev1.PodCondition{Type: corev1.PodConditionType(condition), Status: corev1.ConditionStatus(status)}
		for i := range live.Status.Conditions {
			if live.Status.Conditions[i].Type == wanted.Type {
				live.Status.Conditions[i] = wanted
				return nil
			}
		}
		live.Status.Conditions = append(live.Status.Conditions, wanted)
		return nil
	})
	return err
}

// Watch implements [stage.System].
func (s *System) Watch(ctx context.Context, namespace string, on func(trace.Observation)) error {
	watch, err := s.Store().Watch(store.WatchOptions{
		Kinds:    []store.Object{&corev1.Pod{}, &corev1.Event{}, &discoveryv1.EndpointSlice{}, &appsv1.Deployment{}, &appsv1.ReplicaSet{}},
		Selector: store.Selector{Namespace: namespace},
	})
	for err == nil {
		var change store.Change
		if change, err = watch.Next(ctx); err == nil {
			on(trace.Observation{At: time.Now(), Type: change.Type, Object: change.Object})
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Clear implements [stage.System].
func (s *System) Clear(_ context.Context, namespace string) error {
	in := store.Selector{Namespace: namespace}
	deployments, _ := store.List[*appsv1.Deployment](s.Store(), in)
	var errs []error
	for _, d := range deployments {
		errs = append(errs, store.Delete[*appsv1.Deployment](s.Store(), namespace, d.Name, store.DeleteOptions{}))
	}
	pods, _ := store.List[*corev1.Pod](s.Store(), in)
	for _, p := range pods {
		if err := store.Delete[*corev1.Pod](s.Store(), namespace, p.Name, store.DeleteOptions{Grace: new(int64(1))}); !apierrors.IsNotFound(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
