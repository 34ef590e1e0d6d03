//go:build !unix

package proxy

import "math"

// descriptorLimit is how many descriptors this process may have open: this system has no limit.
func descriptorLimit() uint64 { return math.MaxUint32 }
