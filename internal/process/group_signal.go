package process

import "syscall"

// signalGroup signals the group that pid was born in, and pid itself if it has moved to another
// one.
func signalGroup(pid int, sig syscall.Signal) error {
	err := syscall.Kill(-pid, sig)
	if group, lookup := syscall.Getpgid(pid); lookup == nil && group != pid {
		return syscall.Kill(pid, sig)
	}
	return err
}
