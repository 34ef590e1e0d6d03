//go:build !linux

package process

import "syscall"

// dieWithParent does nothing: only Linux knows it.
func dieWithParent(*syscall.SysProcAttr) {}
