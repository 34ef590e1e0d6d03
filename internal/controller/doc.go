// Package controller makes what the objects of people ask for: Pods from Deployments, ReplicaSets
// and StatefulSets, and EndpointSlices from Services.
//
// What to do is decided by pure functions of package workload (R193–R220): the next step of a
// rollout, the Pods that a smaller ReplicaSet gives up, the next ordinal of a StatefulSet, the
// slices of a Service. This package finds out what is there, asks, and carries out the answer:
//
//	store -watch-> see: whom does the change concern? -> queue of keys -> sync one object -> store
//	                                                           ^                 |
//	                                                           +- look again at -+
//
// A key names an object, not a change: however much happened to it, it is looked at once, as it is
// then. A sync reads everything afresh from the store, takes at most one step and writes the
// object's status. What it writes comes back as changes, which make the next step due; a sync that
// finds nothing to do writes nothing, and so the chain ends. Nothing polls: time alone matters only
// where a sync says when to look again (minReadySeconds, progressDeadlineSeconds, a failed write).
//
// One goroutine does all of it, so a sync never sees half of another one's work. Services come
// first, because requests depend on them; then ReplicaSets and StatefulSets; Deployments last, so
// that they decide by counts that are up to date.
//
//	Deployment --> ReplicaSet per template (name-<hash>) --> Pods (name-<hash>-xxxxx)
//	StatefulSet -> ControllerRevision per template; Pods name-0, name-1 ...
//	Service -----> EndpointSlices, one per set of private ports
//
// Owner references say what belongs to whom, and the store deletes what lost its owner. Undo,
// restart, scale, pause and resume need no code of their own: they are edits of a Deployment.
package controller
