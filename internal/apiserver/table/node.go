package table

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func nodeColumns() []metav1.TableColumnDefinition {
	status, info := corev1.NodeStatus{}.SwaggerDoc(), corev1.NodeSystemInfo{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		nameColumn(),
		textColumn("Status", "The status of the node"),
		textColumn("Roles", "The roles of the node"),
		ageColumn(),
		textColumn("Version", info["kubeletVersion"]),
		wide(textColumn("Internal-IP", status["addresses"])),
		wide(textColumn("External-IP", status["addresses"])),
		wide(textColumn("OS-Image", info["osImage"])),
		wide(textColumn("Kernel-Version", info["kernelVersion"])),
		wide(textColumn("Container-Runtime", info["containerRuntimeVersion"])),
	}
}

func nodeCells(n *corev1.Node, now time.Time) []any {
	info := &n.Status.NodeInfo
	kernel := cmp.Or(info.KernelVersion, unknown)
	if info.Architecture != "" {
		kernel += " (" + info.Architecture + ")"
	}
	return []any{
		n.Name, nodeStatus(n), cmp.Or(strings.Join(roles(n), ","), none), age(n.CreationTimestamp.Time, now), info.KubeletVersion,
		address(n, corev1.NodeInternalIP), address(n, corev1.NodeExternalIP),
		cmp.Or(info.OSImage, unknown), kernel, cmp.Or(info.ContainerRuntimeVersion, unknown),
	}
}

func nodeStatus(n *corev1.Node) string {
	status := "Unknown"
	for _, c := range n.Status.Conditions {
		switch {
		case c.Type != corev1.NodeReady:
		case c.Status == corev1.ConditionTrue:
			status = "Ready"
		default:
			status = "NotReady"
		}
	}
	if n.Spec.Unschedulable {
		status += ",SchedulingDisabled"
	}
	return status
}

const (
	rolePrefix = "node-role.kubernetes.io/" // of a label's key, which the role follows
	roleLabel  = "kubernetes.io/role"       // its value is the role
)

// roles lists the roles that the labels of a node give to it, sorted and each once.
func roles(n *corev1.Node) []string {
	var list []string
	for key, value := range n.Labels {
		role, ok := strings.CutPrefix(key, rolePrefix)
		if key == roleLabel {
			role, ok = value, true
		}
		if ok && role != "" {
			list = append(list, role)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// address is the first address of a node that has a type.
func address(n *corev1.Node, of corev1.NodeAddressType) string {
	i := slices.IndexFunc(n.Status.Addresses, func(a corev1.NodeAddress) bool { return a.Type == of })
	if i < 0 {
		return none
	}
	return n.Status.Addresses[i].Address
}
