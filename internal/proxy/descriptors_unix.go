//go:build unix

package proxy

import "golang.org/x/sys/unix"

// descriptorLimit is how many descriptors this process may have open.
func descriptorLimit() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return defaultDescriptors
	}
	return uint64(limit.Cur)
}

// defaultDescriptors is the limit of most systems.
const defaultDescriptors = 1024
