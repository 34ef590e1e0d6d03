// Package history keeps what people are shown of the past of Pods: each attempt of each probe,
// changes of state, and how instances of containers ended. It is no object of the store: nothing is
// decided by it, no watch is woken by it, and it is gone with the Pod.
//
// # Size
//
// Of each probe there are the last 720 attempts at 16 bytes, the last 20 in detail, at most 16
// different messages, and before these attempts an hour in minutes. That is about 16 KiB when all
// of it is full. A Pod has at most 200 changes and 200 ends of instances.
//
// # Concurrency
//
// Of a Pod there is one writer, the goroutine that runs it, and any number of readers. A reader
// can never hold up the writer, because there is no lock between them: the writer appends to memory
// that no reader looks at yet and publishes it with one atomic store, and what is published is
// never changed. What is too old is let go as a whole, and collected when the last reader has
// finished with it. Only adding, removing and finding a Pod takes a lock, for one look into a map.
//
// The package has no goroutine and no clock; instants come from the caller.
package history
