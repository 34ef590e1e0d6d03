//go:build !linux

package process

// Claim has nothing to share with another Probity on this system.
func Claim(name string) (release func(), ok bool, err error) { return func() {}, true, nil }

// reserve has nothing to share with another Probity on this system.
func reserve(port int) (release func(), ok bool, err error) { return func() {}, true, nil }
