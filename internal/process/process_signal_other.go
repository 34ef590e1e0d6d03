//go:build !linux

package process

import (
	"errors"
	"syscall"
)

// DefaultAction is not known on this system; the error matches [errors.ErrUnsupported].
func DefaultAction(int, syscall.Signal) (bool, error) { return false, errors.ErrUnsupported }

// Command is not known on this system.
func Command(int) string { return "" }
