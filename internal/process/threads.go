package process

import (
	"runtime"
	"sync"
)

// ReserveThreads makes the runtime create so many threads now. It keeps them, idle, for goroutines
// that wait in system calls later: a Go program that may not make another thread when it needs one
// is ended by its runtime, and the limit of processes counts threads.
func ReserveThreads(n int) {
	var holding, all sync.WaitGroup
	release := make(chan struct{})
	holding.Add(n)
	for range n {
		all.Go(func() {
			runtime.LockOSThread() // a thread that has nothing else to do
			defer runtime.UnlockOSThread()
			holding.Done()
			<-release
		})
	}
	holding.Wait()
	close(release)
	all.Wait()
}
