//go:build !linux

package process

// DropFilePages does nothing on this system.
func DropFilePages() error { return nil }
