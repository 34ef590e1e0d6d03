// Package grpc holds what speaks gRPC without grpc-go against grpc-go: the gRPC attempts of
// packages probe and engine, the proxy, and the health server of the other tests. It is a module of
// its own, so that Probity's does not depend on grpc-go.
package grpc
