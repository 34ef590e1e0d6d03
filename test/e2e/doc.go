// Package e2e runs the probity command as its users do, with real processes, sockets and signals.
package e2e
