//go:build unix

package manifest

import "syscall"

// openNonblock opens a named pipe without waiting for its writer.
const openNonblock = syscall.O_NONBLOCK
