//go:build !linux

package process

import "syscall"

// killWithParent does nothing: only Linux knows it.
func killWithParent(*syscall.SysProcAttr) {}

// reapOrphans does nothing: orphans become children of process 1.
func reapOrphans(int) (again bool) { return false }
