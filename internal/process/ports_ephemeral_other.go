//go:build !linux

package process

// ephemeralPorts is the range of RFC 6335, which macOS uses for outgoing connections.
func ephemeralPorts() (low, high int) { return 49152, 65535 }
