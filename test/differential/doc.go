// Package differential compares Probity with a real kubelet: the same manifest, with the same
// program playing the same script, on both.
//
// Its words come from the theatre and the laboratory, and each means one thing:
//
//   - A scenario is one case: a manifest, what is done to its objects, and for how long to watch. A
//     script is the part of it that says what a program does: which answers it gives, when it
//     stalls, ends, or ignores signals.
//   - The player is the program of all containers. It plays its script and writes a ledger: a file
//     per Pod with a line for each thing that happened to one of its processes.
//   - A system is what runs Pods: a cluster with a real kubelet, or Probity. The stage plays a
//     scenario on a system.
//   - A trace is all that was seen of a scenario on a system, sorted into tracks: one thing over
//     time. A recording is a trace in a file.
//
// The packages:
//
//	scenario/    more than a hundred scenarios, by the ids of the conformance cases
//	script/      the language of the scripts
//	player/      the player, in a container and as a process
//	ledger/      the form of the ledgers
//	stage/       plays a scenario on a system and returns the trace
//	local/       Probity as a system
//	cluster/     a real Kubernetes of one node as a system
//	kubernetes/  the module that builds it
//	simulated/   plays a scenario in virtual time
//	trace/       traces, and where two of them differ
//	recording/   recordings; testdata/ has those of the kubelet
//	record/      the command that makes them anew
//
// The tests play scenarios on Probity and compare with the recordings: a few in every run of the
// tests, all with the build tag differential. Then docs/conformance.md can be written anew by
// -update.
package differential
