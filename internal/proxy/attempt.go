package proxy

import "sync/atomic"

// attempt is one attempt to get a request, or a TCP connection, to a life of a Pod.
type attempt struct {
	life  *life
	begun atomic.Bool
}

// wrote notes that something of the request was written to the replica, or that nothing will be. It
// may be called more than once.
func (a *attempt) wrote() {
	if !a.begun.Swap(true) && a.life.unsent.Add(-1) == 0 && a.life.watcher.Load() {
		a.life.arrive()
	}
}

// waitSent returns a channel that is closed when something of every request inside was written: at
// once, if that is so.
func (l *life) waitSent() <-chan struct{} {
	l.mu.Lock()
	if l.sent == nil {
		l.sent = make(chan struct{})
	}
	sent := l.sent
	l.watcher.Store(true)
	l.mu.Unlock()
	l.arrive()
	return sent
}

// arrive lets those go on who wait for requests to be written.
func (l *life) arrive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sent != nil && l.unsent.Load() == 0 {
		close(l.sent)
		l.sent = nil
		l.watcher.Store(false)
	}
}
