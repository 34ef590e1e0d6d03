// Package tables holds the Tables that Probity's API sends to those of kube-apiserver: its own code
// prints the same objects, made at random. It is a module of its own, outside of the workspace,
// because of what that code requires.
package tables
