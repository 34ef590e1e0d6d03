// Package registry is the one door by which desired state gets into a store: what a person, a
// client or a controller wants is given its defaults, bound to this node, validated in the API
// server's words, and only then stored.
//
//	create: Namespace? -> defaults -> managed fields -> node, address -> valid? -> admit? -> store
//	update: current? -> defaults -> managed fields -> what it keeps -> valid? -> store
//
//	POST    CreateObject
//	PUT     UpdateObject, UpdateStatus
//	PATCH   ModifyObject, ModifyStatus
//	DELETE  DeleteObject
//
// Nothing of it happens under the store's lock. What was checked is stored only as long as the
// object is the one that it was checked against; if somebody else was faster it is done again.
// [Create] and [Update] are for those who know the kind when they are compiled; the methods of
// [Registry] are for clients, which may write anything.
//
// What is observed does not come this way: the status that the node and the controllers write,
// Events, probe reports and the addresses that the proxy notes on Services go to the store
// directly.
package registry
