//go:build !linux

package probe

import "syscall"

// groupAlive reports whether the group has a process.
func groupAlive(group int) bool { return syscall.Kill(-group, 0) == nil }
