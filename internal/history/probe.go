package history

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// maxAttempts is how many attempts of a probe are kept: 12 minutes if it runs each second.
	maxAttempts = 720
	// maxDetails is how many of them are kept in detail.
	maxDetails = 20
	// maxChunks is how many chunks they may take: of a probe that runs less than once an hour, few
	// attempts fit into one.
	maxChunks = 2 * maxAttempts / chunkSize
)

// Key names a probe of a Pod.
type Key struct {
	// Container is the container's name, Type is Startup, Readiness or Liveness.
	Container, Type string
}

// Probing is what a probe asks, and how many equal results in a row it takes.
type Probing struct {
	// Asks is such as "GET http://:8080/readyz", with the manifest's port.
	Asks string
	// SuccessThreshold and FailureThreshold are those of the manifest.
	SuccessThreshold, FailureThreshold int
}

// Probe is the past of one probe. One goroutine may call Record; the other methods are safe for
// concurrent use and never hold it up.
type Probe struct {
	key      Key
	probing  Probing
	tape     atomic.Pointer[tape]
	details  [maxDetails]atomic.Pointer[detail]
	messages messages
	counters counters

	// of the writer
	succeeded bool // on this instance
	instance  int
	last      *detail
}

// tape is the attempts of a probe, oldest first. It never changes, but for the last chunk, to which
// attempts are added.
type tape struct {
	chunks  []*chunk
	minutes []minute // of the attempts before those in chunks
}

// detail is a Detail in less memory. It never changes.
type detail struct {
	seq                 uint64
	remote              string
	message, body       string
	connect, first, all uint32 // µs
	exitCode            int32
	bodySize            uint16
	status              uint16
	timedOut            bool
}

func newProbe(key Key, probing Probing) *Probe {
	p := &Probe{key: key, probing: probing}
	p.tape.Store(&tape{})
	return p
}

// Record adds an attempt. Its Seq, NotYet and Threshold are found out here; d is its detail, whose
// Seq is too.
func (p *Probe) Record(a Attempt, d Detail) {
	t := p.tape.Load()
	a.Seq = t.next()
	p.judge(&a)
	p.counters.count(&a)
	number := uint16(0)
	if a.Outcome == Answered {
		d.Message = ""
	} else {
		number = p.messages.number(a.Message)
	}
	p.keep(&a, &d)
	if n := len(t.chunks); n > 0 && t.chunks[n-1].add(&a, number) {
		return
	}
	c := newChunk(a.Seq, a.Time)
	c.add(&a, number)
	p.tape.Store(t.with(c))
}

// judge finds out whether a failure is one of a service that has not come up yet.
func (p *Probe) judge(a *Attempt) {
	if a.Instance != p.instance {
		p.instance, p.succeeded = a.Instance, false
	}
	p.succeeded = p.succeeded || a.Outcome.success()
	// A readiness probe fails from the beginning (R22); of the others a failure has consequences.
	actedUpon := a.Result == Failing && p.key.Type != "Readiness"
	if a.Told {
		return
	}
	a.NotYet = a.Outcome.failure() && !p.succeeded && !actedUpon
}

// keep keeps an attempt in detail. Texts that are as in the attempt before share its memory.
func (p *Probe) keep(a *Attempt, d *Detail) {
	next := &detail{
		seq: a.Seq, remote: d.Remote, message: cut(d.Message, MaxBody), body: d.Body[:min(len(d.Body), MaxBody)],
		connect: microseconds(d.Connect), first: microseconds(d.FirstByte), all: microseconds(d.Total), exitCode: int32(d.ExitCode),
		bodySize: uint16(min(d.BodySize, math.MaxUint16)), status: uint16(d.Status), timedOut: d.TimedOut,
	}
	before := p.last
	if before == nil {
		before = &detail{}
	}
	next.message = sharedText(before.message, next.message, d.Message)
	next.body = sharedText(before.body, next.body, d.Body)
	p.last = next
	p.details[a.Seq%maxDetails].Store(next)
}

// sharedText is a text without the memory of the longer one of which it is the beginning.
func sharedText(before, text, whole string) string {
	switch {
	case text == before:
		return before
	case len(text) < len(whole):
		return strings.Clone(text)
	}
	return text
}

// next is the Seq of the next attempt.
func (t *tape) next() uint64 {
	if len(t.chunks) == 0 {
		return 1
	}
	return t.chunks[len(t.chunks)-1].end()
}

// with is the tape with another chunk, and without those that there is no room for any more.
func (t *tape) with(c *chunk) *tape {
	chunks, minutes := t.chunks, t.minutes
	for len(chunks) > 0 && (c.first+chunkSize-chunks[0].first > maxAttempts || len(chunks) == maxChunks) {
		chunks, minutes = chunks[1:], merged(minutes, chunks[0])
	}
	return &tape{append(slices.Clone(chunks), c), minutes}
}

// Since yields the attempts after the one with that Seq that are kept, oldest first; 0 means all.
// If the first of them is not seq+1, those in between are not kept any more.
func (p *Probe) Since(seq uint64) iter.Seq[Attempt] {
	return func(yield func(Attempt) bool) {
		for _, c := range p.tape.Load().chunks {
			count := int(c.count.Load()) // before the texts, which then has those of all of them
			texts := p.messages.texts()
			skip := 0
			if seq >= c.first {
				skip = int(min(seq-c.first+1, uint64(count)))
			}
			for i := skip; i < count; i++ {
				if !yield(p.attempt(c, i, texts)) {
					return
				}
			}
		}
	}
}

func (p *Probe) attempt(c *chunk, i int, texts []message) Attempt {
	a := c.attempt(i)
	if number := c.entries[i].message; number != 0 {
		a.Message = textOf(texts, number)
	}
	a.Threshold = p.probing.SuccessThreshold
	if a.Failing {
		a.Threshold = p.probing.FailureThreshold
	}
	return a
}

// Latest is the newest attempt; false if there was none.
func (p *Probe) Latest() (Attempt, bool) {
	chunks := p.tape.Load().chunks
	if len(chunks) == 0 {
		return Attempt{}, false
	}
	c := chunks[len(chunks)-1]
	last := int(c.count.Load()) - 1
	return p.attempt(c, last, p.messages.texts()), true
}

// Key names the probe.
func (p *Probe) Key() Key { return p.key }

// Minutes are those before the attempts of [Probe.Since], oldest first. Minutes without an attempt
// are left out; a part of the newest one can be among the attempts.
func (p *Probe) Minutes() []Minute {
	minutes := p.tape.Load().minutes
	all := make([]Minute, len(minutes))
	for i := range minutes {
		all[i] = minutes[i].public()
	}
	return all
}

// Details are the newest attempts in detail, oldest first.
func (p *Probe) Details() []Detail {
	var all []Detail
	for i := range p.details {
		if d := p.details[i].Load(); d != nil {
			all = append(all, d.public())
		}
	}
	slices.SortFunc(all, func(a, b Detail) int { return cmp.Compare(a.Seq, b.Seq) })
	return all
}

// Detail is the attempt with that Seq in detail; false if it is none of the newest.
func (p *Probe) Detail(seq uint64) (Detail, bool) {
	if d := p.details[seq%maxDetails].Load(); d != nil && d.seq == seq {
		return d.public(), true
	}
	return Detail{}, false
}

func (d *detail) public() Detail {
	micro := func(n uint32) time.Duration { return time.Duration(n) * time.Microsecond }
	return Detail{
		Seq: d.seq, Remote: d.remote, Status: int(d.status), ExitCode: int(d.exitCode), Message: d.message,
		Body: d.body, BodySize: int(d.bodySize), Connect: micro(d.connect), FirstByte: micro(d.first), Total: micro(d.all), TimedOut: d.timedOut,
	}
}
