//go:build !linux

package manifest

import (
	"os"
	"testing"
)

// asPlainUser calls f with the rights to files of a plain user.
func asPlainUser(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("a thread cannot be another user here, and root can read everything")
	}
	f()
}
