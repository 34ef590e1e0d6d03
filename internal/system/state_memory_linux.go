package system

import "golang.org/x/sys/unix"

// isInMemory reports whether the files of a folder are kept in memory.
func isInMemory(dir string) bool {
	var stat unix.Statfs_t
	return unix.Statfs(dir, &stat) == nil && stat.Type == unix.TMPFS_MAGIC
}
