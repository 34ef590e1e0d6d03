//go:build !linux

package e2e

import "errors"

func withoutUnshare([]string) error { return errors.New("only Linux has seccomp") }
