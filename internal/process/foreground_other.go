//go:build !linux

package process

import "syscall"

// killWithParent does nothing: only Linux knows it.
func killWithParent(*syscall.SysProcAttr) {}
