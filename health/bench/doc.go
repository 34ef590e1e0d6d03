// Package bench compares package health with published libraries: what it costs to answer one
// probe, called in process. It has no code of its own, only benchmarks, and a module of its own, so
// that the library requires none of what it is compared with. It is not in the workspace either:
// what it requires would change the versions that the other modules are built with.
//
//	GOWORK=off go test -bench . -cpu 1 ./...
package bench
