package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/probity-run/probity/test/differential/ledger"
	"github.com/probity-run/probity/test/differential/script"
)

// book is where a player writes, and what it knows about itself.
type book struct {
	dir, pod, container string
	instance            int

	mu     sync.Mutex // guards counts
	counts map[string]int
}

// openBook finds the ledger by the environment. A service begins an instance; an exec probe belongs
// to the running one.
func openBook(container string, begins bool) (*book, error) {
	b := &book{dir: os.Getenv(ledger.EnvDir), pod: os.Getenv(ledger.EnvPod), container: container, counts: map[string]int{}}
	lines, err := ledger.Read(b.dir, b.pod)
	if err != nil {
		return nil, err
	}
	b.instance = ledger.Instances(lines, container)
	if begins {
		b.instance++
		return b, b.note(ledger.Start, "", "")
	}
	for _, l := range lines {
		if l.Container == container && l.Instance == b.instance && l.Kind == ledger.Exec {
			b.counts[l.Name]++
		}
	}
	return b, nil
}

func (b *book) note(kind, name, value string) error {
	return ledger.Append(b.dir, b.pod, ledger.Line{Container: b.container, Instance: b.instance, Kind: kind, Name: name, Value: value})
}

// must is note for those who cannot return an error: a ledger with a hole is worth nothing.
func (b *book) must(kind, name, value string) {
	if err := b.note(kind, name, value); err != nil {
		fmt.Fprintln(os.Stderr, "player:", err)
		os.Exit(70)
	}
}

// take is the next step of the script of that name, and a line about it.
func (b *book) take(kind, name, steps string) string {
	b.mu.Lock()
	n := b.counts[name]
	b.counts[name]++
	b.mu.Unlock()
	step, err := script.StepAt(steps, n)
	if err != nil {
		step = err.Error()
	}
	b.must(kind, name, step)
	return step
}

// awaitStart waits until the process has begun whose postStart hook this is: they start at the same
// time.
func (b *book) awaitStart(hook string) (*book, error) {
	for {
		lines, err := ledger.Read(b.dir, b.pod)
		if err != nil {
			return nil, err
		}
		ran := 0
		for _, l := range lines {
			if l.Container == b.container && l.Kind == ledger.Exec && l.Name == hook {
				ran++
			}
		}
		if ledger.Instances(lines, b.container) > ran {
			return openBook(b.container, false)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
