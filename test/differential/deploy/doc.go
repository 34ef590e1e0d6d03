// Package deploy holds the tests of probity deploy on a real Kubernetes: the API server, the
// controllers, the scheduler, the kubelet and containerd of package cluster, which run what is
// deployed; and of what probity tune reads there of that. It takes root and, where nothing is
// cached, the time to build Kubernetes:
//
//	go test -count=1 -v -tags kubelet ./test/differential/deploy
//
// The cluster is in namespaces of its own, which the kernel takes away with the last process. Where
// it cannot run, the tests fail and say NOT RUN. -update writes testdata.
package deploy
