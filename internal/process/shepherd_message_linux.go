package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// The shepherd and its client exchange frames over a stream socket: four bytes of length, then one
// message. A message is a sequence of unsigned varints and of strings with their length in front;
// strings are bytes, because arguments and variables need not be UTF-8. Both ends are always the
// same binary, so there is no version.

// maxFrame bounds a frame, well above what maxCommand lets through.
const maxFrame = 16 << 20

const frameHeader = 4

var errBadFrame = errors.New("malformed message between Probity and its shepherd")

type verb uint8

const (
	verbStart  verb = iota + 1 // request; three descriptors travel with it: stdin, stdout, stderr
	verbSignal                 // request
	verbKill                   // request
	verbTry                    // request
	verbForget                 // request
	verbInject                 // request
	verbUndo                   // request; process is the call of the fault
	verbStarted
	verbFailed   // answer to start and try
	verbAnswered // answer to all other requests
	verbExited   // no answer: reported by itself
)

// message is every message; a verb uses the fields it needs and leaves the rest at zero.
type message struct {
	verb verb
	// call pairs a request with its answer.
	call uint64
	// process identifies a started process: it is the call of its start.
	process uint64

	command command    // verbStart; of verbTry and verbForget only the namespace, or that it is watched
	signal  uint64     // verbSignal, verbInject
	fault   faultOrder // verbInject; the words of command are the fault's disks

	pid         uint64    // verbStarted
	step        startStep // verbFailed
	errno       uint64    // verbFailed, verbAnswered
	item        uint64    // verbFailed: which of several, with stepBind; verbStarted: whether a listener travels with it
	status      uint64    // verbExited: as wait4 gives it
	at          uint64    // verbStarted, verbExited: nanoseconds of CLOCK_MONOTONIC
	survivors   []uint64  // verbExited
	outOfMemory uint64    // verbExited: 1 if FaultMemory killed it
}

// faultOrder is a [Fault] on its way to the shepherd.
type faultOrder struct {
	kind  uint64
	share uint64 // in parts of shareUnit
	limit uint64 // bytes
	lasts uint64 // nanoseconds
}

const shareUnit = 1_000_000

// The properties of a command that are there or not, as bits of one number.
const (
	flagTerminal = 1 << iota
	flagWatched
)

func (m message) encode() []byte {
	size := len(m.command.path) + len(m.command.dir) + 64
	for _, word := range m.command.argv {
		size += len(word) + binary.MaxVarintLen32
	}
	for _, word := range m.command.env {
		size += len(word) + binary.MaxVarintLen32
	}
	b := make([]byte, frameHeader, frameHeader+size)
	b = append(b, byte(m.verb), byte(m.step))
	var flags uint64
	if m.command.terminal {
		flags |= flagTerminal
	}
	if m.command.watched {
		flags |= flagWatched
	}
	for _, n := range []uint64{m.call, m.process, m.signal, m.pid, m.errno, m.item, m.status, m.at, m.command.oomScore, flags, m.outOfMemory, m.fault.kind, m.fault.share, m.fault.limit, m.fault.lasts} {
		b = binary.AppendUvarint(b, n)
	}
	b = appendWords(b, []string{m.command.path, m.command.dir, m.command.namespace.Key, m.command.namespace.Hostname})
	b = appendWords(b, m.command.argv)
	b = appendWords(b, m.command.env)
	var binds []string
	for _, bind := range m.command.namespace.Binds {
		binds = append(binds, bind.Source, bind.Target)
	}
	b = appendWords(b, binds)
	var disks []string
	for _, disk := range m.command.namespace.Disks {
		disks = append(disks, disk.Target, strconv.FormatInt(disk.Size, 10))
	}
	b = appendWords(b, disks)
	b = binary.AppendUvarint(b, uint64(len(m.survivors)))
	for _, pid := range m.survivors {
		b = binary.AppendUvarint(b, pid)
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)-frameHeader))
	return b
}

func appendWords(b []byte, words []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(words)))
	for _, word := range words {
		b = binary.AppendUvarint(b, uint64(len(word)))
		b = append(b, word...)
	}
	return b
}

// cutFrame splits the first frame off buf. It returns a nil body while the frame is incomplete.
func cutFrame(buf []byte) (body, rest []byte, err error) {
	if len(buf) < frameHeader {
		return nil, buf, nil
	}
	size := binary.LittleEndian.Uint32(buf)
	if size == 0 || size > maxFrame {
		return nil, nil, fmt.Errorf("%w: %d bytes long", errBadFrame, size)
	}
	end := frameHeader + int(size)
	if len(buf) < end {
		return nil, buf, nil
	}
	return buf[frameHeader:end], buf[end:], nil
}

// decodeMessage reads the body of a frame. It accepts what encode writes and nothing else.
func decodeMessage(body []byte) (message, error) {
	d := &decoder{rest: body}
	m := message{verb: verb(d.byte()), step: startStep(d.byte())}
	var flags uint64
	for _, field := range []*uint64{&m.call, &m.process, &m.signal, &m.pid, &m.errno, &m.item, &m.status, &m.at, &m.command.oomScore, &flags, &m.outOfMemory, &m.fault.kind, &m.fault.share, &m.fault.limit, &m.fault.lasts} {
		*field = d.number()
	}
	m.command.terminal, m.command.watched = flags&flagTerminal != 0, flags&flagWatched != 0
	namespace := &m.command.namespace
	if names := d.words(); len(names) == 4 {
		m.command.path, m.command.dir, namespace.Key, namespace.Hostname = names[0], names[1], names[2], names[3]
	} else {
		d.bad = true
	}
	m.command.argv = d.words()
	m.command.env = d.words()
	for pair := range slices.Chunk(d.words(), 2) {
		if len(pair) != 2 {
			d.bad = true
			break
		}
		namespace.Binds = append(namespace.Binds, Bind{Source: pair[0], Target: pair[1]})
	}
	for pair := range slices.Chunk(d.words(), 2) {
		size, err := strconv.ParseInt(pair[len(pair)-1], 10, 64)
		if len(pair) != 2 || err != nil {
			d.bad = true
			break
		}
		namespace.Disks = append(namespace.Disks, Disk{Target: pair[0], Size: size})
	}
	for range d.count() {
		m.survivors = append(m.survivors, d.number())
	}
	if d.bad || len(d.rest) > 0 || flags > flagTerminal|flagWatched || m.verb < verbStart || m.verb > verbExited {
		return message{}, errBadFrame
	}
	return m, nil
}

// decoder reads fields off the front; after the first malformed one it yields zeros.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) take(n uint64) []byte {
	if d.bad || n > uint64(len(d.rest)) {
		d.bad = true
		return nil
	}
	head := d.rest[:n]
	d.rest = d.rest[n:]
	return head
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if d.bad || size <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

// count reads the length of a list, whose items take a byte each at least.
func (d *decoder) count() uint64 {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.bad = true
		return 0
	}
	return n
}

func (d *decoder) words() []string {
	var words []string
	for range d.count() {
		words = append(words, string(d.take(d.number())))
	}
	return words
}
