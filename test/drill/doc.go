// Package drill holds probity drill to what it is for: each of sixteen services has one of the
// mistakes that outages come from, and the drill has to find it by the verdict that is about it; a
// service without them, beside, has to pass.
//
//	go test -tags drill ./test/drill
package drill
