// Package names decides by which names the programs of a Pod find each other: the Pod's host name,
// the text of its hosts file, which stands in for the cluster's DNS, and where an environment
// variable names a Service. It is pure: values in, texts out. Who makes a file of it and puts that
// in the Pod's place of /etc/hosts is internal/system.
//
// Names follow Kubernetes' DNS specification with the domain [ClusterDomain]; the form of the file
// is the kubelet's (pkg/kubelet/kubelet_pods.go).
package names

// ClusterDomain is the domain of a cluster that was not told another one.
const ClusterDomain = "cluster.local"
