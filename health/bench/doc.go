// Package bench compares package health with published libraries: what it costs to answer one
// probe, called in process. It has no code of its own, only benchmarks, and a module of its own, so
// that the library requires none of what it is compared with.
//
//	go test -bench . -cpu 1 ./...
package bench
