package evidence

import (
	"cmp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
)

// EventsKept is how long a cluster keeps Events, unless its API server was told otherwise.
const EventsKept = time.Hour

// Options say what could be read.
type Options struct {
	// Now is the time by which ages are counted: the server's, if it tells it.
	Now time.Time
	// NoEvents and NoPods mean that the Events, or the Pods, of a namespace cannot be read: nothing
	// is concluded from their absence. nil means that all can be.
	NoEvents, NoPods func(namespace string) bool
}

// Observations are what objects have told so far.
type Observations struct {
	options Options
	owners  map[types.UID]manifest.Ref // what makes the Pods of a ReplicaSet or a Job
	pods    map[types.UID]*pod
	first   map[manifest.Ref]manifest.Ref // the Pod that stands for all of an owner
}

// New returns observations of nothing.
func New(o Options) *Observations {
	return &Observations{options: o, owners: map[types.UID]manifest.Ref{}, pods: map[types.UID]*pod{}, first: map[manifest.Ref]manifest.Ref{}}
}

// AddOwner notes who makes the Pods that an object makes: the Deployment of a ReplicaSet, the
// CronJob of a Job. It has to come before the Pods.
func (o *Observations) AddOwner(object metav1.Object) {
	if owner := metav1.GetControllerOfNoCopy(object); owner != nil {
		o.owners[object.GetUID()] = manifest.Ref{Kind: owner.Kind, Namespace: object.GetNamespace(), Name: strings.Clone(owner.Name)}
	}
}

// ownerOf is the workload that stands for a Pod: what has made it, or made that. A Pod that nobody
// has made stands for itself, and of Pods that something else has made than Kubernetes' own kinds,
// the first stands for all.
func (o *Observations) ownerOf(p metav1.Object) manifest.Ref {
	self := manifest.Ref{Kind: "Pod", Namespace: p.GetNamespace(), Name: p.GetName()}
	owner := metav1.GetControllerOfNoCopy(p)
	if owner == nil {
		return self
	}
	at, ok := o.owners[owner.UID]
	if !ok {
		at = manifest.Ref{Kind: owner.Kind, Namespace: p.GetNamespace(), Name: owner.Name}
	}
	if isJudged(at.Kind) {
		return at
	}
	if first, ok := o.first[at]; ok {
		return first
	}
	o.first[clone(at)] = clone(self)
	return self
}

// isJudged reports whether the workloads of a kind are judged themselves.
func isJudged(kind string) bool {
	return slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"}, kind)
}

// Containers are what was seen, by workload and container, in the order of their names.
func (o *Observations) Containers() []Container {
	byKey := map[key]*Container{}
	for _, p := range o.pods {
		for i := range p.containers {
			c := &p.containers[i]
			at := key{p.workload, c.name}
			if byKey[at] == nil {
				byKey[at] = &Container{Workload: p.workload, Name: c.name}
			}
			byKey[at].add(p, c, o.options.Now)
		}
	}
	list := make([]Container, 0, len(byKey))
	for _, c := range byKey {
		c.settle()
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b Container) int {
		return cmp.Or(compareRefs(a.Workload, b.Workload), strings.Compare(a.Name, b.Name))
	})
	return list
}

// key tells containers of workloads apart.
type key struct {
	workload  manifest.Ref
	container string
}

func compareRefs(a, b manifest.Ref) int {
	return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
}

// says reports whether an option is set for a namespace.
func says(option func(string) bool, namespace string) bool { return option != nil && option(namespace) }
