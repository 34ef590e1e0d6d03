// Package cluster is a Kubernetes of one node, for the differential tests: the real etcd, API
// server, controller manager, scheduler and kubelet, and Debian's containerd and runc.
//
// [Prepare] installs and builds what it takes. [RunInNamespaces] runs the caller's program once
// more in mount, network and process namespaces of its own, as root; there [Start] brings the
// cluster up. All mounts, bridges, network settings and processes belong to those namespaces, and
// the kernel takes them away with the last process, however it ended. What namespaces do not hold
// is the concern of [RunInNamespaces] too: cgroups get a root of their own that is removed, and the
// kernel settings that every kubelet writes are hidden behind files.
package cluster
