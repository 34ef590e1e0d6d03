// Package traffic proves that requests go to ready replicas only and that none is lost, whatever
// happens to the replicas. It runs the probity command with real processes, sends them requests
// from 64 clients without pause, and lets both sides write down what happens: every client, what
// became of each request; every replica, which requests it got and when it was ready. Then both are
// compared.
//
// The normal suite plays each scenario for a few seconds. With the build tag traffic they take
// twenty seconds and ten thousand requests each, and print the figures:
//
//	go test -count=1 -tags traffic -timeout 20m -v ./test/traffic
package traffic
