package system

import (
	"cmp"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/process"
)

// kubernetesVersion is the Kubernetes whose rules the Node follows, as semantic versioning has it
// for a build of somebody else.
const kubernetesVersion = "v1.36.3+probity"

// machine is what the Node tells about this machine. What cannot be found out is empty.
type machine struct {
	hostname, kernel, osImage string
	processors                int
	memory                    int64  // bytes
	version                   string // of Probity
}

func thisMachine() machine {
	m := machine{osImage: osImage(), processors: runtime.NumCPU(), memory: process.TotalMemory(), version: "(devel)"}
	m.hostname, _ = os.Hostname() // the Node's own name stands for one that is unknown
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		m.kernel = unix.ByteSliceToString(name.Release[:])
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		m.version = cmp.Or(info.Main.Version, m.version)
	}
	return m
}

// osImage is the name of the operating system for people, as a kubelet tells it.
func osImage() string {
	if runtime.GOOS == "darwin" {
		return "macOS"
	}
	text, _ := os.ReadFile("/etc/os-release") // not every system has one
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			if name, err := strconv.Unquote(value); err == nil {
				return name
			}
			return strings.Trim(value, "'")
		}
	}
	return "Linux"
}

// newNode is the Node that a machine is.
func newNode(m machine, maxPods int, now time.Time) *corev1.Node {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:  *resource.NewQuantity(int64(m.processors), resource.DecimalSI),
		corev1.ResourcePods: *resource.NewQuantity(int64(maxPods), resource.DecimalSI),
	}
	if m.memory > 0 {
		capacity[corev1.ResourceMemory] = *resource.NewQuantity(m.memory, resource.BinarySI)
	}
	at := metav1.NewTime(now.Truncate(time.Second))
	return &corev1.Node{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: metav1.ObjectMeta{Name: node.Name, Labels: map[string]string{
			corev1.LabelHostname: node.Name, corev1.LabelOSStable: runtime.GOOS, corev1.LabelArchStable: runtime.GOARCH,
		}},
		Status: corev1.NodeStatus{
			Capacity: capacity,
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: "127.0.0.1"},
				{Type: corev1.NodeHostName, Address: cmp.Or(m.hostname, node.Name)},
			},
			Conditions: []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "probity is posting ready status",
				LastHeartbeatTime: at, LastTransitionTime: at,
			}},
			NodeInfo: corev1.NodeSystemInfo{
				KernelVersion: m.kernel, OSImage: m.osImage, OperatingSystem: runtime.GOOS, Architecture: runtime.GOARCH,
				ContainerRuntimeVersion: "probity://" + m.version, KubeletVersion: kubernetesVersion,
			},
		},
	}
}
