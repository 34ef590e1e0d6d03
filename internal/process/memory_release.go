package process

import "runtime/debug"

// ReleaseMemory gives the system back what the last part of a program's life needed and the next
// one does not: garbage, and pages of the program's file that will not be used again. It collects
// garbage, so it is for the end of a start or of a burst of work. The error says that the file's
// pages stay.
func ReleaseMemory() error {
	debug.FreeOSMemory()
	return DropFilePages()
}
