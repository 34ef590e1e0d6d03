package process

import "golang.org/x/sys/unix"

// TotalMemory is how many bytes of memory the machine has; 0 if that cannot be learned.
func TotalMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return int64(uint64(info.Totalram) * uint64(info.Unit))
}
