package registry

import (
	"net/netip"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	// annotation probity.run/command.CONTAINER.
	Commands map[string]string
	// ServiceAddress, if not nil, is the clusterIP of a Service, the same each time as long as
	// there is a Service of that name. What a manifest says is replaced by it, but for None.
	// Default: Services have no address of their own.
	ServiceAddress func(namespace, name string) netip.Addr
	// Admit, if not nil, may refuse a new Pod, which has its defaults and is bound. Its error goes
	// to the writer as it is. It is called from the goroutines of the writers, and no other Pod is
	// made between its answer and the Pod: it can count.
	Admit func(pod *corev1.Pod) error
	// ManagedFields, if not nil, returns the managed fields of an object that a client writes; nil
	// if they stay as they are. It is called from the goroutines of the writers, before the object
	// is checked, and again when a write is tried again. The manager [Manager] it is asked about
	// only where there are managed fields. Default: they stay as they are.
	ManagedFields func(FieldsWrite) []metav1.ManagedFieldsEntry
}

// Registry writes desired state. Make it with [New]. It is safe for concurrent use and starts no
// goroutine.
type Registry struct {
	opts      Options
	admitting sync.Mutex // held from the answer of Admit to the Pod
}

// New makes a registry.
func New(opts Options) *Registry { return &Registry{opts: opts} }

// Create is [Registry.CreateObject] for Probity's own parts.
func Create[T store.Object](r *Registry, object T) (created T, err error) {
	o, err := r.CreateObject(object, WriteOptions{})
	if err != nil {
		return created, err
	}
	return o.(T), nil
}

// Update is [Registry.UpdateObject] for Probity's own parts.
func Update[T store.Object](r *Registry, object T) (updated T, err error) {
	o, err := r.UpdateObject(object, WriteOptions{})
	if err != nil {
		return updated, err
	}
	return o.(T), nil
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
