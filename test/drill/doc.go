// Package drill holds probity drill to what it is for: each of some services has one of the
// mistakes that outages come from, and the drill has to find it by the verdict that is about it; a
// service without them, beside, has to pass.
//
//	go test -tags drill ./test/drill
//
// With the tag exact, too, the drill, its shepherd and both are killed in every fault, and hangs
// and stalls are held to the numbers of the probe.
package drill
