package engine

import "time"

// loop waits for what comes next, a command, a due time or a socket, and handles it, until the
// engine is closed.
func (e *Engine) loop() {
	defer e.poller.close()
	for {
		commands, open := e.commands()
		for _, f := range commands {
			f()
		}
		if !open {
			break
		}
		idle := time.Duration(0)
		if len(commands) == 0 {
			idle = e.untilNext()
		}
		e.poller.wait(idle)
		e.now = time.Now()
		e.poller.dispatch()
		e.wheel.advance(e.tick(e.now))
	}
	e.ended = true
	for a := range e.attempts {
		a.finish(closedResult())
	}
}

// commands returns what others asked for, and whether the engine is open. If there is nothing the
// loop counts as asleep, so that a command that comes now ends its wait.
func (e *Engine) commands() (commands []func(), open bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	commands, e.inbox = e.inbox, nil
	e.asleep = len(commands) == 0 && !e.closed
	return commands, !e.closed
}

// untilNext returns how long nothing is due; negative means for ever.
func (e *Engine) untilNext() time.Duration {
	next, ok := e.wheel.next()
	if !ok {
		return -1
	}
	return max(0, time.Until(e.start.Add(time.Duration(next)*e.quantum)))
}

// tick returns the last tick that is not after t.
func (e *Engine) tick(t time.Time) tick {
	return tick(t.Sub(e.start) / e.quantum)
}

// at lets the timer fire at t or up to a quantum later, never before.
func (e *Engine) at(t time.Time, timer *timer) {
	e.wheel.add(timer, tick((t.Sub(e.start)+e.quantum-1)/e.quantum))
}
