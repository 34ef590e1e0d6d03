package terminal

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/terminal/lines"
)

// probeLogPause is the time between two looks at what probes have found: nobody is told by them.
const probeLogPause = 200 * time.Millisecond

// probeLog prints each attempt of each probe. From start on it owns a goroutine, which close joins.
type probeLog struct {
	out    *asyncWriter
	format func(lines.ProbeAttempt) ([]byte, error)
	done   sync.WaitGroup
	stop   chan struct{}

	mu     sync.Mutex      // guards what follows; whoever holds it may wait for a reader
	log    *lines.ProbeLog // from start on
	failed error           // why nothing is printed any more
}

func newProbeLog(out *asyncWriter, format func(lines.ProbeAttempt) ([]byte, error)) *probeLog {
	return &probeLog{out: out, format: format, stop: make(chan struct{})}
}

func (l *probeLog) start(reader history.Reader) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = lines.NewProbeLog(reader)
	l.done.Go(func() {
		ticks := time.NewTicker(probeLogPause)
		defer ticks.Stop()
		for {
			select {
			case <-l.stop:
				return
			case <-ticks.C:
				l.mu.Lock()
				l.print()
				l.mu.Unlock()
			}
		}
	})
}

// take takes a change of an object. Of a Pod that is going, this may be the last look.
func (l *probeLog) take(change watch.EventType, object runtime.Object) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.log == nil {
		return
	}
	if pod.DeletionTimestamp != nil {
		l.print()
	}
	l.log.Pod(change, pod)
}

// print prints what is new. It is called under the lock.
func (l *probeLog) print() {
	for _, attempt := range l.log.Next() {
		line, err := l.format(attempt)
		if err == nil && l.failed == nil {
			err = l.out.put(line)
		}
		if err != nil {
			l.failed = err // the stream's own changes run into the same error
			return
		}
	}
}

// flush prints what is new, unless somebody waits for a reader.
func (l *probeLog) flush() {
	if l == nil || !l.mu.TryLock() {
		return
	}
	defer l.mu.Unlock()
	if l.log != nil {
		l.print()
	}
}

func (l *probeLog) close() {
	close(l.stop)
	l.done.Wait()
}
