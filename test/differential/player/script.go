package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/probity-run/probity/test/differential/ledger"
)

// ofInstance picks the part of "a|b|c" that is meant for an instance.
func ofInstance(text string, instance int) string {
	parts := strings.Split(text, "|")
	return parts[min(max(instance, 1), len(parts))-1]
}

// stepAt is the nth step of "ax3,b", counted from 0. An empty script has empty steps.
func stepAt(script string, n int) (string, error) {
	steps := strings.Split(script, ",")
	for i, step := range steps {
		what, count, err := parseStep(step)
		if err != nil {
			return "", err
		}
		if n < count || i == len(steps)-1 {
			return what, nil
		}
		n -= count
	}
	return "", nil
}

// parseStep reads "ax3".
func parseStep(step string) (what string, times int, err error) {
	i := strings.LastIndex(step, "x")
	if i <= 0 || step[i+1:] == "" || strings.Trim(step[i+1:], "0123456789") != "" {
		return step, 1, nil
	}
	if times, err = strconv.Atoi(step[i+1:]); err != nil {
		return "", 0, fmt.Errorf("cannot read step %q: %w", step, err)
	}
	return step[:i], times, nil
}

// parseAnswers reads "/live=200x3,500;/ready=503" into a script per name.
func parseAnswers(text string) (map[string]string, error) {
	scripts := map[string]string{}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' }) {
		name, script, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("cannot read answers %q", part)
		}
		scripts[name] = script
	}
	return scripts, nil
}

// book is where a player writes, and what it knows about itself.
type book struct {
	dir, pod, container string
	instance            int

	mu     sync.Mutex // guards counts
	counts map[string]int
}

// openBook finds the ledger by the environment. A service begins an instance; an exec probe belongs to the running one.
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
func (b *book) take(kind, name, script string) string {
	b.mu.Lock()
	n := b.counts[name]
	b.counts[name]++
	b.mu.Unlock()
	step, err := stepAt(script, n)
	if err != nil {
		step = err.Error()
	}
	b.must(kind, name, step)
	return step
}

// awaitStart waits until the process has begun whose postStart hook this is: they start at the same time.
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
