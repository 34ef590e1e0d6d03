package relay

import (
	"errors"
	"fmt"
	"time"
)

// Kind is what a relay does with connections.
type Kind uint8

const (
	// Pass carries everything as it comes.
	Pass Kind = iota
	// Slow carries what the destination sends later by [Mode.Delay]. The order stays, and how many
	// bytes a second there may be.
	Slow
	// Hang accepts connections and carries nothing: what is sent is kept, by the relay or, beyond
	// its buffers, by the sender, and arrives when the mode changes.
	Hang
	// Down resets open connections and refuses new ones, like a process that was killed.
	Down
	// Reset ends a connection by a reset once it has carried [Mode.After] bytes since the mode was
	// set, in both directions together.
	Reset
	// Dead answers nothing, like a machine without power: a new connection is neither accepted nor
	// refused, an open one is silent. Both go on when the mode changes.
	Dead
)

var kindNames = [...]string{Pass: "pass", Slow: "slow", Hang: "hang", Down: "down", Reset: "reset", Dead: "dead"}

// String is the word of the kind: pass, slow, hang, down, reset or dead.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", k)
}

// Scope is which connections a mode is for.
type Scope uint8

const (
	// All are those that are open and those that are made later.
	All Scope = iota
	// OnlyNew are those that are made while the mode lasts. Those that are open pass.
	OnlyNew
	// OnlyOpen are those that are open when the mode is set. Those that are made later pass.
	OnlyOpen
)

// Mode is what a relay does, with which connections and for how long. The zero value passes.
type Mode struct {
	Kind Kind
	// Scope is for which connections. Datagrams have none: there every datagram is meant.
	Scope Scope
	// Delay is of Slow: more than 0.
	Delay time.Duration
	// After is of Reset. 0 resets at once.
	After int64
	// For is after how long the relay passes again by itself, whoever forgets it. 0: when it is
	// told. Like the relay it is of this process, and no shepherd keeps it: when this process dies,
	// the shepherd kills the programs whose connections the relay carried.
	For time.Duration
}

// Check says why a mode cannot be.
func (m Mode) Check() error {
	switch {
	case int(m.Kind) >= len(kindNames):
		return fmt.Errorf("a relay has no mode of %v", m.Kind)
	case m.Scope > OnlyOpen:
		return fmt.Errorf("a relay's mode has no scope %d", m.Scope)
	case m.Kind == Slow && m.Delay <= 0:
		return fmt.Errorf("a delay of %v: it has to be longer than 0", m.Delay)
	case m.Kind != Slow && m.Delay != 0:
		return fmt.Errorf("mode %v has no delay", m.Kind)
	case m.Kind == Reset && m.After < 0 || m.Kind != Reset && m.After != 0:
		return fmt.Errorf("mode %v after %d bytes", m.Kind, m.After)
	case m.For < 0:
		return errors.New("a mode cannot last less than no time")
	}
	return nil
}

// forOpen is what the mode means to connections that are open when it is set, forNew to those that
// are made later.
func (m Mode) forOpen() Mode { return m.unless(OnlyNew) }
func (m Mode) forNew() Mode  { return m.unless(OnlyOpen) }

func (m Mode) unless(s Scope) Mode {
	if m.Scope == s {
		return Mode{}
	}
	return m
}
