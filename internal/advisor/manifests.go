package advisor

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/program"
)

// Manifests are the workloads and Services of some files, related to each other. They do not change
// after [NewManifests], so any number of goroutines may read them.
type Manifests struct {
	Workloads []*Workload
	Services  []*Service
	// Mesh are the rules of a service mesh about who may connect.
	Mesh []*PeerAuthentication
	// PassedOver is what was not read, and OtherKinds are the objects that were not judged.
	PassedOver []manifest.PassedOver
	OtherKinds []manifest.Unknown

	sources []Source
	byName  map[string]int // index of a source
	others  []*manifest.Object
}

// NewManifests relates the objects of some files to each other: Services to the pods that they
// select, autoscalers and disruption budgets to their workloads.
func NewManifests(sources ...Source) *Manifests {
	m := &Manifests{sources: sources, byName: map[string]int{}}
	var objects []manifest.Object
	for i, s := range sources {
		m.byName[s.Name] = i
		if s.Set != nil {
			objects = append(objects, s.Set.Objects...)
			m.PassedOver = append(m.PassedOver, s.Set.PassedOver...)
			m.OtherKinds = append(m.OtherKinds, s.Set.Unknown...)
		}
	}
	m.relate(objects)
	m.passOverPieces(objects)
	return m
}

func (m *Manifests) relate(objects []manifest.Object) {
	refs := newReferences(objects)
	var budgets []*Budget
	var scalers []*autoscalingv1.HorizontalPodAutoscaler
	for _, o := range objects {
		if workload := newWorkload(o); workload != nil {
			if err := program.Check(o, refs.near(o.Position.File)); err != nil {
				workload.Object.Problems = append(slices.Clip(o.Problems), err)
			}
			m.Workloads = append(m.Workloads, workload)
			continue
		}
		m.others = append(m.others, &o)
		switch r := o.Resource.(type) {
		case *corev1.Service:
			m.Services = append(m.Services, newService(o, r))
		case *policyv1.PodDisruptionBudget:
			budgets = append(budgets, &Budget{Object: o, Spec: &r.Spec})
		case *autoscalingv1.HorizontalPodAutoscaler:
			scalers = append(scalers, r)
		case *manifest.PeerAuthentication:
			m.Mesh = append(m.Mesh, &PeerAuthentication{Object: o, Spec: &r.Spec})
		}
	}
	for _, s := range m.Services {
		s.relate(m.Workloads)
	}
	for _, workload := range m.Workloads {
		workload.setReplicas(scalers)
		workload.findBackends()
		workload.mesh = m.Mesh
	}
	for _, b := range budgets {
		b.relate(m.Workloads)
	}
	m.findCompany()
}

// With returns the manifests with other texts of some files, related anew. The error says what
// cannot be read in them.
func (m *Manifests) With(texts map[string][]byte) (*Manifests, error) {
	sources := slices.Clone(m.sources)
	var errs []error
	for i, s := range sources {
		if text, ok := texts[s.Name]; ok {
			s.Text = text
			decoded, err := s.decode()
			sources[i] = decoded
			if err != nil {
				errs = append(errs, err)
			}
		}
	}
	return NewManifests(sources...), errors.Join(errs...)
}

// source is the file of that name, or an empty one.
func (m *Manifests) source(name string) Source {
	if i, ok := m.byName[name]; ok {
		return m.sources[i]
	}
	return Source{}
}

// setReplicas takes the limits of the autoscaler that scales the workload, if there is one.
func (w *Workload) setReplicas(scalers []*autoscalingv1.HorizontalPodAutoscaler) {
	ref := w.Object.Ref()
	w.Least = w.Replicas
	for _, s := range scalers {
		target := s.Spec.ScaleTargetRef
		if s.Namespace == ref.Namespace && target.Kind == ref.Kind && target.Name == ref.Name {
			w.Replicas, w.Least = int(max(s.Spec.MaxReplicas, *s.Spec.MinReplicas)), int(*s.Spec.MinReplicas)
		}
	}
}

// Text is the text of a file, as it was read.
func (m *Manifests) Text(file string) []byte { return m.source(file).Text }

// Set is what is in a file; nil if it was passed over as a whole.
func (m *Manifests) Set(file string) *manifest.Set { return m.source(file).Set }

// FileNames are the names of the files, in the order in which they were read.
func (m *Manifests) FileNames() []string {
	names := make([]string, len(m.sources))
	for i, s := range m.sources {
		names[i] = s.Name
	}
	return names
}

// relate finds the workloads that a Service selects.
func (s *Service) relate(workloads []*Workload) {
	if len(s.Spec.Selector) == 0 || s.Spec.Type == corev1.ServiceTypeExternalName {
		return
	}
	s.Workloads = selected(workloads, s.Object, labels.SelectorFromSet(s.Spec.Selector))
	for _, w := range s.Workloads {
		w.addService(s)
	}
}

// selected are the workloads whose pods an object selects. If several folders have one, those count
// whose folder shares most with the object's: a tree of examples has the same labels again and
// again.
func selected(workloads []*Workload, by manifest.Object, selector labels.Selector) []*Workload {
	most := -1
	var nearest []*Workload
	for _, w := range workloads {
		// If a Service happens to select a Job's pods, it is meant for other ones.
		if !w.RunsUntilStopped() || by.Resource.GetNamespace() != w.Object.Resource.GetNamespace() || !selector.Matches(labels.Set(w.Meta.Labels)) {
			continue
		}
		switch n := commonFolders(by.Position.File, w.Object.Position.File); {
		case n > most:
			most, nearest = n, []*Workload{w}
		case n == most:
			nearest = append(nearest, w)
		}
	}
	return nearest
}

// addService keeps one Service of each name: the one in the workload's own file, if there is one.
func (w *Workload) addService(s *Service) {
	i := slices.IndexFunc(w.Services, func(other *Service) bool { return other.Name() == s.Name() })
	switch {
	case i < 0:
		w.Services = append(w.Services, s)
	case s.Object.Position.File == w.Object.Position.File:
		w.Services[i] = s
	}
}

// commonFolders counts the folders that the paths of two files share, from the top.
func commonFolders(a, b string) int {
	x, y := strings.Split(filepath.Dir(a), string(filepath.Separator)), strings.Split(filepath.Dir(b), string(filepath.Separator))
	n := 0
	for n < min(len(x), len(y)) && x[n] == y[n] {
		n++
	}
	return n
}

// replicasOf is how many pods a workload asks for, or 0 if nothing says so.
func replicasOf(r manifest.Resource) int {
	var n *int32
	switch o := r.(type) {
	case *appsv1.Deployment:
		n = o.Spec.Replicas
	case *appsv1.ReplicaSet:
		n = o.Spec.Replicas
	case *appsv1.StatefulSet:
		n = o.Spec.Replicas
	case *corev1.ReplicationController:
		n = o.Spec.Replicas
	case *corev1.Pod, *batchv1.Job, *batchv1.CronJob:
		return 1
	}
	if n == nil {
		return 0
	}
	return int(*n)
}
