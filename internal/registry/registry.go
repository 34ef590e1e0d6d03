package registry

import (
	"net/netip"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// Options of a [Registry].
type Options struct {
	// Store takes the objects. Required.
	Store *store.Store
	// NodeName is the node to which new Pods are bound. Empty: Pods stay as they are.
	NodeName string
	// Commands are the programs that stand for the images of containers, by the containers' names,
	// or by workload and container, as in "deployment/web:server", which come first; both come
	// before those that a Pod's own annotations name. A program is a line of words as in the
	// annotation probity.run/command.<container>.
	Commands map[string]string
	// ServiceAddress, if not nil, is the clusterIP of a Service, the same each time as long as
	// there is a Service of that name. What a manifest says is replaced by it, but for None.
	// Default: Services have no address of their own.
	ServiceAddress func(namespace, name string) netip.Addr
	// Admit, if not nil, may refuse a new Pod, which has its defaults and is bound. Its error goes
	// to the writer as it is. It is called from the goroutines of the writers, and no other Pod is
	// made between its answer and the Pod: it can count.
	Admit func(pod *corev1.Pod) error
}

// Registry writes desired state. Make it with [New]. It is safe for concurrent use and starts no
// goroutine.
type Registry struct {
	opts      Options
	admitting sync.Mutex // held from the answer of Admit to the Pod
}

// New makes a registry.
func New(opts Options) *Registry { return &Registry{opts: opts} }

// Create adds a copy of an object, with its defaults, free of what only a server sets; a Pod is
// bound to the node. The error is the API's Invalid, with all that is wrong, or AlreadyExists. With
// [store.DryRun] all of that happens, and nothing is stored.
func Create[T store.Object](r *Registry, object T, opts ...store.WriteOption) (T, error) {
	next := object.DeepCopyObject().(T)
	manifest.PrepareForCreate(next)
	manifest.Default(next)
	switch o := store.Object(next).(type) {
	case *corev1.Pod:
		r.Bind(o)
	case *corev1.Service:
		r.giveAddress(o, nil)
	}
	if err := invalid(next, manifest.Validate(next)); err != nil {
		return next, err
	}
	if pod, ok := store.Object(next).(*corev1.Pod); ok && r.opts.Admit != nil {
		r.admitting.Lock()
		defer r.admitting.Unlock()
		if err := r.opts.Admit(pod); err != nil {
			return next, err
		}
	}
	return store.Create(r.opts.Store, next, opts...)
}

// Bind makes a new Pod one of this node, in the state in which a cluster's API server and scheduler
// leave it. The Pod must have its defaults.
func (r *Registry) Bind(pod *corev1.Pod) {
	for _, c := range lifecycle.Containers(&pod.Spec) {
		if line, ok := r.command(pod, c.Name); ok {
			metav1.SetMetaDataAnnotation(&pod.ObjectMeta, manifest.AnnotationCommand+c.Name, line)
		}
	}
	if r.opts.NodeName != "" {
		pod.Spec.NodeName = r.opts.NodeName
	}
	pod.Status = corev1.PodStatus{Phase: corev1.PodPending, QOSClass: lifecycle.QOSClass(&pod.Spec)}
}

// command is the program that the options name for a container.
func (r *Registry) command(pod *corev1.Pod, container string) (line string, ok bool) {
	if len(r.opts.Commands) == 0 {
		return "", false
	}
	if line, ok = r.opts.Commands[CommandKey(r.Workload(pod))+":"+container]; !ok {
		line, ok = r.opts.Commands[container]
	}
	return line, ok
}

// CommandKey names a workload in [Options].Commands, as in "deployment/web".
func CommandKey(kind, name string) string { return strings.ToLower(kind) + "/" + name }

// Workload is the object that a Pod comes from, as a manifest has it: what controls it, of a
// Deployment's Pod the Deployment, or the Pod itself.
func (r *Registry) Workload(pod *corev1.Pod) (kind, name string) {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return "Pod", pod.Name
	}
	if owner.Kind == "ReplicaSet" {
		set, err := store.Get[*appsv1.ReplicaSet](r.opts.Store, pod.Namespace, owner.Name)
		if err == nil && set.UID == owner.UID && metav1.GetControllerOf(set) != nil {
			owner = metav1.GetControllerOf(set)
		}
	}
	return owner.Kind, owner.Name
}

// tries is how often an update without a resource version is tried while others write, too.
const tries = 5

// Update replaces an object by a copy of another one, with its defaults; the status stays. If that
// carries a resource version or a UID it must be the current one; without a resource version it
// replaces whatever there is. The error is the API's NotFound, Conflict, or Invalid with all that
// is wrong, also with what cannot be changed. With [store.DryRun] nothing is stored.
func Update[T store.Object](r *Registry, object T, opts ...store.WriteOption) (updated T, err error) {
	for range tries {
		updated, err = update(r, object, opts)
		if !apierrors.IsConflict(err) || object.GetResourceVersion() != "" {
			break
		}
	}
	return updated, err
}

// update stores what was checked against the current state only as long as that is the current one.
func update[T store.Object](r *Registry, object T, opts []store.WriteOption) (T, error) {
	next := object.DeepCopyObject().(T)
	manifest.Default(next)
	current, err := r.opts.Store.GetObject(next)
	if err != nil {
		return next, err
	}
	if service, ok := store.Object(next).(*corev1.Service); ok {
		r.giveAddress(service, current.(*corev1.Service))
	}
	switch next.GetResourceVersion() {
	case "":
		next.SetResourceVersion(current.GetResourceVersion())
	case current.GetResourceVersion():
	default: // the Conflict comes before all that may be wrong as well
		return store.Update(r.opts.Store, next, store.DryRun)
	}
	manifest.PrepareForUpdate(current, next)
	if err := invalid(next, append(manifest.ValidateUpdate(current, next), manifest.Validate(next)...)); err != nil {
		return next, err
	}
	return store.Update(r.opts.Store, next, append(slices.Clone(opts), store.KeepStatus)...)
}

// giveAddress sets the clusterIP of a Service, as a cluster's API server does when it is made. One
// that was headless stays so unless the writer says otherwise.
func (r *Registry) giveAddress(service, current *corev1.Service) {
	spec := &service.Spec
	if r.opts.ServiceAddress == nil || spec.Type == corev1.ServiceTypeExternalName || spec.ClusterIP == corev1.ClusterIPNone {
		return
	}
	if current != nil && current.Spec.ClusterIP == corev1.ClusterIPNone && spec.ClusterIP == "" {
		spec.ClusterIP, spec.ClusterIPs = corev1.ClusterIPNone, []string{corev1.ClusterIPNone}
		return
	}
	spec.ClusterIP = r.opts.ServiceAddress(service.Namespace, service.Name).String()
	spec.ClusterIPs = []string{spec.ClusterIP}
}

func invalid(object store.Object, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(object.GetObjectKind().GroupVersionKind().GroupKind(), object.GetName(), errs)
}
