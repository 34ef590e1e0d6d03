// Package tunnel is the client's side of exec and port-forward: streams of bytes over an HTTP
// connection that the server has upgraded, to a WebSocket for exec, to SPDY for port-forward, as
// kubectl does it. Every goroutine is joined, but for one that reads a standard input: nothing can
// wake that.
package tunnel
