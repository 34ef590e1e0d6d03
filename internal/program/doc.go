// Package program resolves what a container's program, and its exec probes and hooks, are started
// with: the command line, and the environment with every reference of the manifest followed. It
// starts nothing and reads no clock, so the node, which starts programs, and those who only think
// manifests through say the same about one that cannot be started.
//
// Linux starts no program with a string of more than [manifest.MaxString] bytes, so strings count:
// what a Pod's containers have in all comes out of its [Room], and what does not fit is a
// [*TooLongError] with the field to blame. [Check] looks for that in an object of a manifest.
package program
