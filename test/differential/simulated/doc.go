// Package simulated plays the scenarios of the differential tests in virtual time:
// internal/simulate instead of a kubelet, a program in memory instead of the player's process. The
// same manifest and the same script give a [trace.Trace], which is held to the same recordings. A
// simulation knows what becomes of an answer, not how bytes make one, nor what a process inherits:
// [Unplayed] names the scenarios that are about such things.
//
//	play.go      one scenario, from manifest to trace
//	client.go    what a client of the simulated cluster asks and observes
//	manifest.go  manifests and steps as the simulator takes them
//	command.go   the player's command line
//	program.go   the programs of a Pod
//	answer.go    what probes and hooks get
//	pod_log.go   the lines of the ledger about processes
//	unplayed.go  what is not played, and why
package simulated
