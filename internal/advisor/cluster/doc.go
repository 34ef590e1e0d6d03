// Package cluster judges the objects of a cluster as the advisor judges those of files, and holds
// what it finds against what was seen.
//
// Objects are handed in one by one and kept as short texts, without status and without what servers
// note in metadata; they are judged a namespace at a time, so that only the objects of one are in
// memory as objects. Nothing here is safe for concurrent use.
package cluster
