//go:build !linux

package process

import "errors"

// LookOutside finds nothing on this system.
func LookOutside(pids []int) (Outside, error) { return Outside{}, nil }

// Listeners is for Linux: nothing is watched elsewhere.
func Listeners(int) ([]Listener, error) { return nil, errors.ErrUnsupported }
