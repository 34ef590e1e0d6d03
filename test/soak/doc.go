// Package soak runs a hundred Pods that crash, hang and recover at random. Meanwhile it checks what
// always has to hold, and in the end it compares the resources that Probity uses with those of the
// beginning. A second test does the same with a Service whose replicas are killed, stopped and
// replaced under clients of all kinds: uploads, streams, upgrades, pipelines, and those that leave.
//
//	go test -tags soak -timeout 30m ./test/soak                      five minutes, both
//	go test -tags soak ./test/soak -duration 2m -seed 42             another duration and seed
//	go test -tags soak ./test/soak -run Front -front 10m             the second for longer
package soak
