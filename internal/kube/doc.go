// Package kube is a client of the Kubernetes API: that of a run, and that of a cluster. It is
// net/http, JSON and the types of Kubernetes, because client-go's would be a third of the program.
// Of that it has what reads kubeconfigs and shows a cluster who asks, see [Connect].
//
// A [Client] gets, lists, watches, patches and deletes; errors of the server are the Status that it
// sent, so [apierrors] tells them apart. Package view decides what people are shown of what it
// gets.
package kube
