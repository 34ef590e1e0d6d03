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
// What is expected is what a cluster does. Tests with the tag cluster build etcd and the API server
// of the same version (folder kubernetes, a module of its own; ten minutes of one core the first
// time), and nothing else of Kubernetes: TestClusterRequests sends it and Probity the same
// requests, TestClusterScripts plays the same kubectl commands, and both compare what comes back;
// TestClusterClients plays all other tests in Go on it.
//
//	GOWORK=off go -C test/kubectl test -tags kubectl,cluster -parallel 16 -run TestCluster .
//
// TestClusterDeploy and TestClusterHardship have Kubernetes' controllers too, and play the nodes;
// most of what goes wrong there takes its time, and not that of processors, so it is played in
// parallel.
//
// The tag k9s plays k9s on a run, in a terminal of tmux: Pods, logs, describe, a shell, kill,
// scale. It is no part of every CI run, because building k9s takes eight minutes of one core the
// first time.
//
//	GOWORK=off go -C test/kubectl test -tags kubectl,k9s -run K9s .
//
// They can be played on a whole cluster, too: the tests in Go with PROBITY_TEST_KUBECONFIG, the
// path of a kubeconfig of its administrator; the scripts with PROBITY_TEST_PROGRAM, a program that
// stands for probity. It is called as "run --state-dir DIR FILE...", applies the files to a new
// cluster, whose only node may be a pretended one, writes DIR/kubeconfig, and ends at an interrupt.
package kubectl
