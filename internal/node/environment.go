package node

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
)

// Objects looks up what containers refer to. The second result says whether it exists.
type Objects interface {
	ConfigMap(namespace, name string) (*corev1.ConfigMap, bool)
	Secret(namespace, name string) (*corev1.Secret, bool)
}

// environment is a container's environment in layers: the caller's, the manifest's, and what
// Probity injects. Later ones win.
type environment struct {
	caller   []string
	manifest map[string]string
	order    []string // names of the manifest's entries, as written
	literal  map[string]string
	injected map[string]string
	room     *room
}

// newEnvironment evaluates a container's env and envFrom (docs/differences.md, Environment). An
// entry of the manifest that repeats a declared port in PORT or PORT_… gives way to the private
// port; any other entry of that name stays. What it holds comes out of the Pod's room; the error of
// what has none there is an [*oversize].
func newEnvironment(pod *corev1.Pod, c *corev1.Container, objects Objects, caller []string, injected map[string]string, room *room) (*environment, error) {
	e := &environment{caller: caller, manifest: map[string]string{}, literal: map[string]string{}, injected: maps.Clone(injected), room: room}
	for i, from := range c.EnvFrom {
		if err := e.addAll(pod.Namespace, from, objects, fmt.Sprintf("envFrom[%d]", i)); err != nil {
			return nil, err
		}
	}
	for i, v := range c.Env {
		value, err := e.value(pod, c, v, objects, fmt.Sprintf("env[%d].value", i))
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue // an optional reference to nothing
		}
		if err := e.set(v.Name, *value, fmt.Sprintf("env[%d]", i)); err != nil {
			return nil, err
		}
		e.literal[v.Name] = ""
		if v.ValueFrom == nil {
			e.literal[v.Name] = *value
		}
	}
	declared := declaredPorts(pod)
	for name := range e.injected {
		if own, ok := e.manifest[name]; ok && strings.HasPrefix(name, "PORT") && !slices.Contains(declared, own) {
			delete(e.injected, name)
		}
	}
	return e, nil
}

func declaredPorts(pod *corev1.Pod) []string {
	var ports []string
	for _, c := range lifecycle.Containers(&pod.Spec) {
		for _, p := range c.Ports {
			ports = append(ports, strconv.Itoa(int(p.ContainerPort)))
		}
	}
	return ports
}

// set takes a variable from a field of the container.
func (e *environment) set(name, value, field string) error {
	if err := e.room.take(len(name)+len("=")+len(value), field); err != nil {
		return err
	}
	if _, ok := e.manifest[name]; !ok {
		e.order = append(e.order, name)
	}
	e.manifest[name] = value
	return nil
}

// addAll adds an envFrom source, sorted by key.
func (e *environment) addAll(namespace string, from corev1.EnvFromSource, objects Objects, field string) error {
	data := map[string]string{}
	switch {
	case from.ConfigMapRef != nil:
		ref := from.ConfigMapRef
		cm, ok := objects.ConfigMap(namespace, ref.Name)
		if !ok {
			return missing("configmap", ref.Name, ref.Optional)
		}
		maps.Copy(data, cm.Data)
	case from.SecretRef != nil:
		ref := from.SecretRef
		secret, ok := objects.Secret(namespace, ref.Name)
		if !ok {
			return missing("secret", ref.Name, ref.Optional)
		}
		for key, value := range secretData(secret) {
			data[key] = string(value)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if err := e.set(from.Prefix+key, data[key], field); err != nil {
			return err
		}
	}
	return nil
}

// value is what one env entry gives; nil if it refers to something optional that is not there.
func (e *environment) value(pod *corev1.Pod, c *corev1.Container, v corev1.EnvVar, objects Objects, field string) (*string, error) {
	from := v.ValueFrom
	switch {
	case from == nil:
		value, err := manifest.Expand(v.Value, e.lookup)
		if err != nil {
			return nil, &oversize{field, err}
		}
		return &value, nil
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		cm, ok := objects.ConfigMap(pod.Namespace, ref.Name)
		if !ok {
			return nil, missing("configmap", ref.Name, ref.Optional)
		}
		value, ok := cm.Data[ref.Key]
		return keyed(value, ok, ref.Key, "ConfigMap", pod.Namespace, ref.Name, ref.Optional)
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		secret, ok := objects.Secret(pod.Namespace, ref.Name)
		if !ok {
			return nil, missing("secret", ref.Name, ref.Optional)
		}
		value, ok := secretData(secret)[ref.Key]
		return keyed(string(value), ok, ref.Key, "Secret", pod.Namespace, ref.Name, ref.Optional)
	case from.FieldRef != nil:
		return podField(pod, from.FieldRef.FieldPath)
	case from.ResourceFieldRef != nil:
		return resourceField(c, from.ResourceFieldRef)
	}
	return nil, fmt.Errorf("cannot evaluate env %s: its valueFrom names a source that Probity does not know", v.Name)
}

func missing(kind, name string, optional *bool) error {
	if optional != nil && *optional {
		return nil
	}
	return fmt.Errorf("%s %q not found", kind, name)
}

func keyed(value string, ok bool, key, kind, namespace, name string, optional *bool) (*string, error) {
	switch {
	case ok:
		return &value, nil
	case optional != nil && *optional:
		return nil, nil
	}
	return nil, fmt.Errorf("couldn't find key %s in %s %s/%s", key, kind, namespace, name)
}

// secretData is a Secret's data with stringData on top, as the API server merges them.
func secretData(s *corev1.Secret) map[string][]byte {
	data := maps.Clone(s.Data)
	if data == nil {
		data = map[string][]byte{}
	}
	for key, value := range s.StringData {
		data[key] = []byte(value)
	}
	return data
}

// podField is the downward API for environments.
func podField(pod *corev1.Pod, path string) (*string, error) {
	if name, ok := subscript(path, "metadata.labels"); ok {
		return new(pod.Labels[name]), nil
	}
	if name, ok := subscript(path, "metadata.annotations"); ok {
		return new(pod.Annotations[name]), nil
	}
	switch path {
	case "metadata.name":
		return &pod.Name, nil
	case "metadata.namespace":
		return &pod.Namespace, nil
	case "metadata.uid":
		return new(string(pod.UID)), nil
	case "spec.nodeName":
		return &pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return new(cmp.Or(pod.Spec.ServiceAccountName, "default")), nil
	case "status.podIP", "status.podIPs", "status.hostIP", "status.hostIPs":
		return new(loopback), nil
	}
	return nil, fmt.Errorf("unsupported fieldPath: %s", path)
}

// subscript takes metadata.labels['name'] apart.
func subscript(path, field string) (string, bool) {
	name, ok := strings.CutPrefix(path, field+"['")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(name, "']")
}

// resourceField is the downward API for limits and requests. A limit that is not set is the
// machine's on a cluster; here it is 0, unlimited.
func resourceField(c *corev1.Container, ref *corev1.ResourceFieldSelector) (*string, error) {
	kind, name, _ := strings.Cut(ref.Resource, ".")
	list := map[string]corev1.ResourceList{"limits": c.Resources.Limits, "requests": c.Resources.Requests}[kind]
	quantity := list[corev1.ResourceName(name)]
	divisor := ref.Divisor
	if divisor.IsZero() {
		divisor = resource.MustParse("1")
	}
	if name == "cpu" {
		return new(strconv.FormatInt(divideUp(quantity.MilliValue(), divisor.MilliValue()), 10)), nil
	}
	return new(strconv.FormatInt(divideUp(quantity.Value(), divisor.Value()), 10)), nil
}

func divideUp(n, by int64) int64 {
	if by == 0 {
		return n
	}
	return (n + by - 1) / by
}

// lookup finds what $(NAME) stands for in a command, in args and in env: the manifest's entries and
// what Probity injects.
func (e *environment) lookup(name string) (string, bool) {
	if value, ok := e.injected[name]; ok {
		return value, true
	}
	value, ok := e.manifest[name]
	return value, ok
}

// lookupStatic is lookup for exec probes and hooks: an entry that is not a literal counts as empty
// (R83).
func (e *environment) lookupStatic(name string) (string, bool) {
	if value, ok := e.injected[name]; ok {
		return value, true
	}
	value, ok := e.literal[name]
	return value, ok
}

// list is the environment as a process gets it.
func (e *environment) list() []string {
	last := map[string]string{}
	var order []string
	add := func(name, value string) {
		if _, ok := last[name]; !ok {
			order = append(order, name)
		}
		last[name] = value
	}
	for _, entry := range e.caller {
		if name, value, ok := strings.Cut(entry, "="); ok {
			add(name, value)
		}
	}
	for _, name := range e.order {
		add(name, e.manifest[name])
	}
	for _, name := range slices.Sorted(maps.Keys(e.injected)) {
		add(name, e.injected[name])
	}
	for i, name := range order {
		order[i] = name + "=" + last[name]
	}
	return order
}
