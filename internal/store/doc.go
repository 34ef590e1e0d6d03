// Package store is the hub: all state that anyone outside a goroutine may see is a Kubernetes
// object in one in-memory store with resource versions and watches.
//
// Objects are snapshots, shared by all who read them: never modify what the store returned,
// DeepCopy it first. What the store is given is copied. One resource version counts the changes of
// the whole store, and begins at the clock, so that it goes on rising from one run of the program
// to the next and no run takes another's versions for its own. A Watch reports every change after
// its start once, in order, also across kinds; it never holds up a writer, and one that falls
// behind the history of its kinds gets the API's Expired (410).
//
// A deletion removes an object at once, unless it has finalizers, or is a Pod that was given to a
// node and has not finished: then the deletion sets its deletion timestamp and grace period, which
// later deletions can only shorten. It is removed by a deletion with a grace period of 0, by the
// one who owns it, or by the update that takes its last finalizer. What only it owned is deleted
// with it, or before it if that was asked for. A Namespace is removed when nothing is left in it.
package store
