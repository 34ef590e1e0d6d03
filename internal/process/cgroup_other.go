//go:build !linux

package process

import "errors"

// HasQuota reports whether a fault limits the processor time of a process by a control group.
func HasQuota(int) bool { return false }

// CannotQuota is why faults cannot limit processor time by a control group on this machine.
func CannotQuota() error { return errors.New("control groups need Linux") }
