// Package kubectl holds a running Probity to what the clients of a cluster expect: kubectl by
// scripts that read like a manual (testdata/script), Go programs by tests with client-go and
// controller-runtime.
//
//	GOWORK=off go -C test/kubectl test -tags kubectl ./...
//	GOWORK=off go -C test/kubectl test -tags kubectl -run Scripts/apply .
//
// It is a module of its own, outside the workspace, so that kubectl is built with the versions that
// it was released with, and Probity with ours. The first build of kubectl takes three minutes of
// one core; it is kept in the user's cache folder.
//
// What is expected is what a cluster does, so the same tests can be played on one: the tests in Go
// with PROBITY_TEST_KUBECONFIG, the path of a kubeconfig of its administrator; the scripts with
// PROBITY_TEST_PROGRAM, a program that stands for probity. It is called as "run --state-dir DIR
// FILE...", applies the files to a new cluster, whose only node may be a pretended one, writes
// DIR/kubeconfig, and ends at an interrupt.
package kubectl
