// Package registry is the one door by which desired state gets into a store: what a person or a
// controller wants is given its defaults, bound to this node, validated in the API server's words,
// and only then stored.
//
//	manifest, API ──▶ default ──▶ bind (new Pods) ──▶ validate ──▶ store
//	controllers   ──▶
//
// What is observed does not come this way: the status that the node and the controllers write,
// Events, probe reports and the addresses that the proxy notes on Services go to the store
// directly.
package registry
