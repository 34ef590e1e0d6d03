package cluster

import (
	"fmt"
	"path/filepath"
	"strings"
)

const (
	bridge   = "probity0"
	nodeIP   = "10.244.0.1"
	nodeName = "node"
	token    = "differential"
	server   = "https://" + nodeIP + ":6443"
)

// cgroupRoot is the name of the cgroup below which all Pods are.
const cgroupRoot = "probity-differential"

// MaxRestartPeriod caps the crash-loop back-off, in seconds, on the kubelet and, so that they can
// be compared, on Probity.
const MaxRestartPeriod = 3

// configs are the files of the components in a folder, by name.
func configs(dir string, o Options) map[string]string {
	backOff := fmt.Sprintf(shortBackOff, MaxRestartPeriod)
	if o.LongBackOff {
		backOff = ""
	}
	return map[string]string{
		"tokens.csv":         token + ",admin,1,\"system:masters\"\n",
		"kubeconfig":         kubeconfig,
		"containerd.toml":    containerdConfig(dir),
		"cni/10-bridge.conf": fmt.Sprintf(cniConfig, bridge, filepath.Join(dir, "ipam")),
		"kubelet.yaml":       fmt.Sprintf(kubeletConfig, cgroupRoot, backOff, filepath.Join(dir, "podlogs"), filepath.Join(dir, "containerd.sock")),
	}
}

const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "` + server + `", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: ` + token + `}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`

const cniConfig = `{"cniVersion": "0.4.0", "name": "pods", "type": "bridge", "bridge": "%s", "isGateway": true,
"ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24", "rangeStart": "10.244.0.10", "gateway": "` + nodeIP + `"}]], "dataDir": "%s"}}
`

// kubeletConfig: nothing is reserved or evicted, and neither Events nor status are held back (0
// would mean five a second).
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
cgroupRoot: /%s
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
makeIPTablesUtilChains: false
clusterDNS: ["10.96.0.10"]
eventRecordQPS: 1000
eventBurst: 1000
kubeAPIQPS: 1000
kubeAPIBurst: 1000
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
evictionHard: {memory.available: "0%%", nodefs.available: "0%%", nodefs.inodesFree: "0%%", imagefs.available: "0%%"}
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
%spodLogsDir: %s
containerRuntimeEndpoint: unix://%s
`

// shortBackOff caps the crash-loop back-off.
const shortBackOff = `featureGates: {KubeletCrashLoopBackOffMax: true}
crashLoopBackOff: {maxContainerRestartPeriod: %ds}
`

// containerdConfig: restrict_oom_score_adj lets runc work without CAP_SYS_RESOURCE, and the plugin
// "opt" would leave a folder in /opt.
func containerdConfig(dir string) string {
	return strings.NewReplacer("DIR", dir, "IMAGE", Image, "PLUGINS", cniPlugins).Replace(`version = 2
root = "DIR/containerd"
state = "DIR/containerd-state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "DIR/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "IMAGE"
disable_apparmor = true
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "PLUGINS"
conf_dir = "DIR/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
`)
}

// component is a program of the cluster and its arguments.
type component struct {
	name string
	args []string
}

// controlPlane are the components in the order of their start, and the kubelet.
func controlPlane(dir, kubernetes string, o Options) []component {
	controllers := "deployment-controller,replicaset-controller,statefulset-controller,endpointslice-controller,node-lifecycle-controller,garbage-collector-controller"
	if o.AllControllers {
		controllers = "*"
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	words := func(text string) []string { return append([]string{kubernetes}, strings.Fields(text)...) }
	key := in(signingKey)
	return []component{
		{"etcd", words("etcd --unsafe-no-fsync --log-level=error --data-dir=" + in("etcd"))},
		{"apiserver", words("apiserver --etcd-servers=http://127.0.0.1:2379 --cert-dir=" + in("apiserver") + " --bind-address=" + nodeIP + " --advertise-address=" + nodeIP +
			" --service-account-issuer=https://differential.test --service-account-key-file=" + key + " --service-account-signing-key-file=" + key +
			" --service-cluster-ip-range=10.96.0.0/24 --token-auth-file=" + in("tokens.csv") + " --authorization-mode=RBAC --allow-privileged=true" +
			" --disable-admission-plugins=ServiceAccount --kubelet-preferred-address-types=InternalIP")},
		{"controllers", words("controllers --leader-elect=false --kubeconfig=" + in("kubeconfig") + " --cert-dir=" + in("controllers") +
			" --controllers=" + controllers)},
		{"scheduler", words("scheduler --leader-elect=false --kubeconfig=" + in("kubeconfig") + " --cert-dir=" + in("scheduler"))},
		{"kubelet", words("kubelet --config=" + in("kubelet.yaml") + " --kubeconfig=" + in("kubeconfig") + " --root-dir=" + in("kubelet") + " --cert-dir=" + in("kubelet-pki") +
			" --hostname-override=" + nodeName + " --node-ip=" + nodeIP)},
	}
}
