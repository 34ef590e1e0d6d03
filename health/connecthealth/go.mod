module github.com/probity-run/probity/health/connecthealth

go 1.26.0

require (
	connectrpc.com/connect v1.21.1
	connectrpc.com/grpchealth v1.5.0
)

require (
	github.com/probity-run/probity/health v0.1.0
	google.golang.org/protobuf v1.36.11 // indirect
)
