// Package differential compares Probity with a real kubelet: the same manifest, with the same
// program playing the same script, on both.
//
//	scenario/    what is played: more than a hundred manifests and scripts, by the ids of the conformance cases
//	player/      the program that plays the script and keeps a ledger, in a container and as a process
//	script/      the language of the scripts
//	stage/       plays a scenario on a system
//	local/       Probity as a system
//	simulated/   plays a scenario in virtual time
//	cluster/     a real Kubernetes of one node as a system, and kubernetes/, a module that builds it
//	trace/       what was seen, and where two traces differ
//	recording/   traces in files; testdata/ has those of the kubelet
//	record/      the command that records them anew
//
// The tests play scenarios on Probity and compare with the recordings: a few in every run of the
// tests, all with the build tag differential. Then docs/conformance.md can be written anew by
// -update.
package differential
