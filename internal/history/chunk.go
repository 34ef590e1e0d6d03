package history

import (
	"math"
	"sync/atomic"
	"time"
)

// chunkSize is how many attempts a chunk has. With it a chunk is 1 KiB.
const chunkSize = 60

// chunk is attempts in a row. The first count entries are published and never change; the writer
// owns the others.
type chunk struct {
	first   uint64 // Seq of the first entry
	base    int64  // what the times count from, in µs since 1970
	count   atomic.Uint32
	entries [chunkSize]entry
}

// entry is an attempt in 16 bytes. Its Seq is its place.
type entry struct {
	at       uint32 // µs since the chunk's base
	took     uint32 // µs
	instance uint16
	run      uint16
	message  uint16 // its number; 0 is none
	outcome  Outcome
	flags    flags
}

// flags are the three lowest bits, and a Result above.
type flags uint8

const (
	notYet flags = 1 << iota
	failing
	told
	resultShift = iota
)

// newChunk begins a chunk with the time of its first attempt.
func newChunk(first uint64, at time.Time) *chunk {
	return &chunk{first: first, base: at.UnixMicro()}
}

// add publishes an attempt. It reports false if the chunk is full, or the attempt's time is too far
// from the first one's.
func (c *chunk) add(a *Attempt, message uint16) bool {
	n, at := c.count.Load(), a.Time.UnixMicro()-c.base
	if n == chunkSize || at < 0 || at > math.MaxUint32 {
		return false
	}
	e := entry{
		at: uint32(at), took: microseconds(a.Took), message: message, outcome: a.Outcome,
		instance: uint16(min(max(a.Instance, 0), math.MaxUint16)), run: uint16(min(max(a.Run, 0), math.MaxUint16)),
		flags: flags(a.Result) << resultShift,
	}
	if a.NotYet {
		e.flags |= notYet
	}
	if a.Failing {
		e.flags |= failing
	}
	if a.Told {
		e.flags |= told
	}
	c.entries[n] = e
	c.count.Store(n + 1)
	return true
}

// end is the Seq behind the last published attempt.
func (c *chunk) end() uint64 { return c.first + uint64(c.count.Load()) }

// attempt is a published entry, without its message and threshold.
func (c *chunk) attempt(i int) Attempt {
	e := &c.entries[i]
	return Attempt{
		Seq: c.first + uint64(i), Time: time.UnixMicro(c.base + int64(e.at)), Took: time.Duration(e.took) * time.Microsecond,
		Outcome: e.outcome, NotYet: e.flags&notYet != 0, Instance: int(e.instance), Run: int(e.run),
		Failing: e.flags&failing != 0, Told: e.flags&told != 0, Result: Result(e.flags >> resultShift),
	}
}

// microseconds is a duration that is never negative; one that is too long is cut.
func microseconds(d time.Duration) uint32 {
	return uint32(min(max(d.Microseconds(), 0), math.MaxUint32))
}
