// Package survey reads what a cluster has and what has happened in it, for probity check: a page of
// objects at a time, each reduced to what is needed of it and dropped.
package survey
