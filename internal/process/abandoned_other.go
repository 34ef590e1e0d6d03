//go:build !linux

package process

import "net/netip"

// Abandoned cannot be found out on this system: every socket counts as held.
func Abandoned(local, remote netip.AddrPort) (bool, error) { return false, nil }
