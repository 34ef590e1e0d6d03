// Package scrape is what Prometheus gets of a run. Names and labels are those that people know from
// a cluster: of probes the kubelet's (R222), of Pods, Deployments and StatefulSets those of
// kube-state-metrics, of requests of the API kube-apiserver's, of the process those of Prometheus'
// own client libraries. What a cluster has no name for begins with probity_.
//
// A scrape reads the objects, the counters and the process when it comes, so that nothing is
// computed while nobody asks, and the series of what is gone are gone too.
package scrape
