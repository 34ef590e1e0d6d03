package process

import (
	"runtime"
	"sync"
)

// ReserveThreads makes the Go runtime create n operating system threads now. The runtime keeps
// them, idle, for goroutines that block in system calls later. Without them the runtime ends the
// program when it needs another thread and may not create one: threads count against the limit of
// processes (ulimit -u).
func ReserveThreads(n int) {
	var running, all sync.WaitGroup
	release := make(chan struct{})
	running.Add(n)
	for range n {
		all.Go(func() {
			runtime.LockOSThread() // a thread that has nothing else to do
			defer runtime.UnlockOSThread()
			running.Done()
			<-release
		})
	}
	running.Wait()
	close(release)
	all.Wait()
}
