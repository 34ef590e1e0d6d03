// Package evidence reduces the objects of a cluster to what they tell about probes, per workload
// and container, and holds the findings of the advisor against it: which of them were seen to
// happen, which were not, and what happened that no rule foretold.
//
// It is pure: objects, samples and the time are handed in, and each object may be dropped as soon
// as it was handed in. Nothing here is safe for concurrent use.
package evidence
