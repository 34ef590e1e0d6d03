// Package deploy brings the objects of manifests to a cluster: it plans with the server's own
// answers, applies in an order that works, prunes what an earlier deployment of the same set had
// applied, follows what rolls out and undoes it.
//
// What decides is pure: the order of kinds, what an answer of the server means, what of an object
// was changed, who keeps a field, what may be pruned. [Deployment] is the shell that sends; package
// rollout says how a workload is and why.
package deploy
