// Package playground answers what the page asks that tries Probity without a server: what check
// finds in a text, the form of the health checks of a workload in it, and a simulated fault. An
// answer is a document of parts, as those of the dashboard. Everything is a function of what was
// asked: no file, no network, no clock.
package playground
