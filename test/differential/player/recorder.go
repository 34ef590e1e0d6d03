package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/probity-run/probity/test/differential/ledger"
	"github.com/probity-run/probity/test/differential/script"
)

// recorder writes the ledger of a process, and knows which container and instance it is.
type recorder struct {
	dir, pod, container string
	instance            int

	mu     sync.Mutex // guards counts
	counts map[string]int
}

// openRecorder finds the ledger by the environment. A service begins an instance; an exec probe
// belongs to the running one.
func openRecorder(container string, begins bool) (*recorder, error) {
	r := &recorder{dir: os.Getenv(ledger.EnvDir), pod: os.Getenv(ledger.EnvPod), container: container, counts: map[string]int{}}
	lines, err := ledger.Read(r.dir, r.pod)
	if err != nil {
		return nil, err
	}
	r.instance = ledger.Instances(lines, container)
	if begins {
		r.instance++
		return r, r.record(ledger.Start, "", "")
	}
	for _, l := range lines {
		if l.Container == container && l.Instance == r.instance && l.Kind == ledger.Exec {
			r.counts[l.Name]++
		}
	}
	return r, nil
}

func (r *recorder) record(kind, name, value string) error {
	return ledger.Append(r.dir, r.pod, ledger.Line{Container: r.container, Instance: r.instance, Kind: kind, Name: name, Value: value})
}

// mustRecord is record for those who cannot return an error: a ledger with a hole is worth nothing.
func (r *recorder) mustRecord(kind, name, value string) {
	if err := r.record(kind, name, value); err != nil {
		fmt.Fprintln(os.Stderr, "player:", err)
		os.Exit(70)
	}
}

// nextStep is the next step of the script of that name, and a line about it.
func (r *recorder) nextStep(kind, name, steps string) string {
	r.mu.Lock()
	n := r.counts[name]
	r.counts[name]++
	r.mu.Unlock()
	step, err := script.StepAt(steps, n)
	if err != nil {
		step = err.Error()
	}
	r.mustRecord(kind, name, step)
	return step
}

// awaitStart waits until the process has begun whose postStart hook this is: they start at the same
// time.
func (r *recorder) awaitStart(hook string) (*recorder, error) {
	for {
		lines, err := ledger.Read(r.dir, r.pod)
		if err != nil {
			return nil, err
		}
		ran := 0
		for _, l := range lines {
			if l.Container == r.container && l.Kind == ledger.Exec && l.Name == hook {
				ran++
			}
		}
		if ledger.Instances(lines, r.container) > ran {
			return openRecorder(r.container, false)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
