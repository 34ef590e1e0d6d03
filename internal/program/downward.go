package program

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// loopback is the address of every Pod and of the node.
const loopback = "127.0.0.1"

// podField is the value of a fieldRef of the downward API.
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
	case "status.podIP", "status.podIPs":
		return new(PodIP(pod)), nil
	case "status.hostIP", "status.hostIPs":
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

// resourceField is the value of a resourceFieldRef of the downward API: a limit or a request,
// rounded up to a multiple of the divisor. A limit that is not set is the node's capacity on a
// cluster; here it is 0, which means unlimited.
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

// PodIP is the address of a Pod, that of everybody if it has none of its own.
func PodIP(pod *corev1.Pod) string { return cmp.Or(pod.Status.PodIP, loopback) }
