// Package clusterdash is the dashboard over a cluster: what is seen of a cluster through the API of
// Kubernetes, as [dashboard.Cluster] asks for it.
//
// It watches the objects of a namespace, or of all, and keeps them pruned in memory; Secrets it
// never reads. Of Pods and their Events it makes the past that pages show: what was told, and
// nothing that was not. Changes are server-side applies of the user of the kubeconfig, so a cluster
// refuses here what it refuses kubectl.
//
// A server that is away leaves what was seen as it was, and pages say since when; what is forbidden
// is named, and asked for again from time to time.
package clusterdash
