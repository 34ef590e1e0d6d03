package simulated

import (
	"fmt"
	"slices"
	"time"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/test/differential/ledger"
)

// podLog is the log of a Pod's programs while it is written. What programs are asked is written
// when they are asked, the rest from the simulator's own account of processes.
type podLog struct {
	lines     []ledger.Line
	processes []*process
}

// process is one process of a container.
type process struct {
	container string
	instance  int
	service   *serving      // nil if it does an action
	delay     time.Duration // until it listens
	began     time.Duration
	signalled time.Duration // SIGTERM; -1 for never
	ended     time.Duration // -1 for not yet
	killed    bool
	code      string
}

// write adds a line.
func (b *podLog) write(at time.Duration, container string, instance int, kind, name, value string) {
	b.lines = append(b.lines, ledger.Line{At: epoch().Add(at).UnixMicro(), Container: container, Instance: instance, Kind: kind, Name: name, Value: value})
}

// begin expects a process.
func (b *podLog) begin(l process) {
	l.began, l.signalled, l.ended = -1, -1, -1
	b.processes = append(b.processes, &l)
}

// noteEntry takes what the simulator says of a process.
func (b *podLog) noteEntry(e simulate.Entry) {
	i := slices.IndexFunc(b.processes, func(l *process) bool { return l.container == e.Container && l.instance == e.Instance })
	if i < 0 {
		return
	}
	l, at := b.processes[i], time.Duration(e.At)
	switch e.Text {
	case "started":
		l.began = at
	case "SIGTERM":
		if l.signalled < 0 {
			l.signalled = at
		}
	case "SIGKILL":
		l.killed = l.ended < 0
	default:
		if _, err := fmt.Sscanf(e.Text, "exited, code %s", &l.code); err == nil && l.ended < 0 {
			l.ended = at
		}
	}
}

// finished are all lines in order. Nobody wrote a line after his end; a process that lives on
// proves it after the horizon, and one that was killed until then.
func (b *podLog) finished(horizon time.Duration) []ledger.Line {
	for _, l := range b.processes {
		if l.began >= 0 && l.service != nil {
			b.writeProcess(l, horizon)
		}
	}
	lines := slices.DeleteFunc(b.lines, func(line ledger.Line) bool { return line.Kind == ledger.Done && b.interrupted(line) })
	slices.SortStableFunc(lines, func(x, y ledger.Line) int { return x.Time().Compare(y.Time()) })
	return lines
}

// writeProcess writes the lines about one process.
func (b *podLog) writeProcess(l *process, horizon time.Duration) {
	write := func(at time.Duration, kind, name, value string) {
		b.write(at, l.container, l.instance, kind, name, value)
	}
	write(l.began, ledger.Start, "", "")
	if up := l.began + l.delay; l.ended < 0 || up <= l.ended {
		write(up, ledger.Listen, "", "")
	}
	if l.signalled >= 0 {
		write(l.signalled, ledger.Signal, "SIGTERM", "")
	}
	switch {
	case l.ended >= 0 && !l.killed:
		write(l.ended, ledger.Exit, "", l.code)
	case l.ended >= 0:
		write(l.ended, ledger.Alive, "", "")
	case l.signalled >= 0:
		write(horizon, ledger.Alive, "", "")
	}
}

// interrupted reports whether a hook did not come to its end, because that of its container came
// first.
func (b *podLog) interrupted(line ledger.Line) bool {
	return slices.ContainsFunc(b.processes, func(l *process) bool {
		return l.service != nil && l.container == line.Container && l.instance == line.Instance && l.ended >= 0 && line.Time().After(epoch().Add(l.ended))
	})
}
