package clusterdash

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
)

const (
	// firstTail is how many lines from the end of a log are read at first; for older ones it is
	// read again with four times as many, up to maxTail.
	firstTail, maxTail = 1000, 256_000
	// readTime bounds the reading of an end of a log.
	readTime = 20 * time.Second
	// maxFollowPause is how long it takes until a log is followed again that has broken off.
	maxFollowPause = 10 * time.Second
)

// log is what an instance of a container has printed, as the API of a cluster tells it: from the
// beginning, or a number of lines from the end. It implements [dashboard.Log].
type log struct {
	client    *kube.Client
	pod       kube.Ref
	container string
	previous  bool
	gone      bool        // the cluster has nothing of that instance any more
	isNewest  func() bool // reports whether the container has no later instance yet

	ctx    context.Context // of its requests; Close ends it
	cancel context.CancelFunc

	entries []process.LogEntry // those of the end that were read
	place   int
	tail    int64 // how many lines were asked for; 0 if the log is read from its beginning
	whole   bool  // entries begin where the log does

	body  io.ReadCloser // of a log that is read from its beginning
	lines *lines
	last  process.LogEntry // that was returned last by Next
	tied  int              // how many of its instant were

	follow *follow // nil before the end was reached
}

// restartsOf is how often a container was restarted.
func restartsOf(pod *corev1.Pod, container string) int {
	for s := range lifecycle.Statuses(pod) {
		if s.Name == container {
			return int(s.RestartCount)
		}
	}
	return 0
}

// openLog opens the log of an instance; newest is which one the container has now. Of those before
// the one before the newest a cluster keeps nothing.
func openLog(client *kube.Client, pod *corev1.Pod, container string, instance int, newest func() int) *log {
	at := newest()
	l := &log{
		client: client, pod: kube.RefTo(pod), container: container, previous: instance == at-1, gone: instance < at-1,
		isNewest: func() bool { return newest() == instance },
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// options are those of a request.
func (l *log) options() kube.LogOptions {
	return kube.LogOptions{Container: l.container, Previous: l.previous, Timestamps: true}
}

// request begins to read. A container that has no log yet has an empty one.
func (l *log) request(ctx context.Context, o kube.LogOptions) (io.ReadCloser, error) {
	if l.gone {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	body, err := l.client.Log(ctx, l.pod, o)
	switch {
	case apierrors.IsBadRequest(err), apierrors.IsNotFound(err): // it has not started, or is gone
		return io.NopCloser(bytes.NewReader(nil)), nil
	case err != nil:
		return nil, fmt.Errorf("cannot read the log of container %s of pod %s: %w", l.container, l.pod.Name, err)
	}
	return body, nil
}

// SeekEnd implements [dashboard.Log].
func (l *log) SeekEnd() error {
	err := l.read(firstTail)
	l.place = len(l.entries)
	return err
}

// read reads so many lines from the end. Those that came since the last time stay away.
func (l *log) read(tail int64) error {
	ctx, cancel := context.WithTimeout(l.ctx, readTime)
	defer cancel()
	o := l.options()
	o.Tail = &tail
	body, err := l.request(ctx, o)
	if err != nil {
		return err
	}
	defer body.Close() // it was only read
	var all []process.LogEntry
	for lines := newLines(body); ; {
		entry, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("cannot read the log of container %s of pod %s: %w", l.container, l.pod.Name, err)
		}
		all = append(all, entry)
	}
	l.whole = int64(len(all)) < tail
	if l.tail == 0 {
		l.entries, l.tail = all, tail
		return nil
	}
	older := before(all, l.entries)
	l.entries, l.place, l.tail = append(older, l.entries...), l.place+len(older), tail
	return nil
}

// before are the entries of all that are older than those which are known. Of an instant that is
// divided, those are left out that are known.
func before(all, known []process.LogEntry) []process.LogEntry {
	if len(known) == 0 {
		return all
	}
	first, same, n := known[0].Time, 0, 0
	for same < len(known) && known[same].Time.Equal(first) {
		same++
	}
	for n < len(all) && !all[n].Time.After(first) {
		n++
	}
	return all[:max(n-same, 0):max(n-same, 0)]
}

// Previous implements [dashboard.Log].
func (l *log) Previous() (process.LogEntry, error) {
	if l.tail == 0 {
		return process.LogEntry{}, io.EOF
	}
	for l.place == 0 {
		if l.whole || l.tail >= maxTail {
			return process.LogEntry{}, io.EOF
		}
		if err := l.read(4 * l.tail); err != nil {
			return process.LogEntry{}, err
		}
	}
	l.place--
	return l.entries[l.place], nil
}

// Next implements [dashboard.Log]. At the end of what was read it follows what is printed.
func (l *log) Next() (process.LogEntry, error) {
	entry, err := l.next()
	if err != nil {
		return entry, err
	}
	if !entry.Time.Equal(l.last.Time) {
		l.tied = 0
	}
	l.last, l.tied = entry, l.tied+1
	return entry, nil
}

func (l *log) next() (process.LogEntry, error) {
	if l.tail > 0 && l.place < len(l.entries) {
		l.place++
		return l.entries[l.place-1], nil
	}
	if l.tail == 0 && l.follow == nil {
		if l.body == nil {
			body, err := l.request(l.ctx, l.options())
			if err != nil {
				return process.LogEntry{}, err
			}
			l.body, l.lines = body, newLines(body)
		}
		entry, err := l.lines.next()
		if errors.Is(err, io.EOF) {
			l.follow = &follow{} // begins the next time
		}
		return entry, err
	}
	if l.previous || l.gone { // nothing is added to it
		return process.LogEntry{}, io.EOF
	}
	if l.follow == nil {
		l.follow = &follow{}
		if n := len(l.entries); n > 0 && l.last.Time.IsZero() {
			l.last = l.entries[n-1]
			for l.tied < n && l.entries[n-1-l.tied].Time.Equal(l.last.Time) {
				l.tied++
			}
		}
	}
	return l.follow.next(l)
}

// Close implements [dashboard.Log].
func (l *log) Close() error {
	l.cancel()
	if l.follow != nil {
		l.follow.reading.Wait()
	}
	if l.body != nil {
		return l.body.Close()
	}
	return nil
}

// follow reads what is printed from now on. One goroutine reads; the log that it belongs to is
// read by another one.
type follow struct {
	reading sync.WaitGroup
	pause   time.Duration
	again   time.Time // not before then

	mu      sync.Mutex // guards what follows
	open    bool
	entries []process.LogEntry
	err     error
}

// next is what was read since, or io.EOF. A log that has broken off is followed again after a
// pause, from its last line.
func (f *follow) next(l *log) (process.LogEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.entries) > 0 {
		entry := f.entries[0]
		f.entries, f.pause = f.entries[1:], 0
		return entry, nil
	}
	if err := f.err; err != nil {
		f.err = nil
		return process.LogEntry{}, err
	}
	if !f.open && !time.Now().Before(f.again) && l.isNewest() {
		f.pause = min(max(2*f.pause, time.Second), maxFollowPause)
		f.again, f.open = time.Now().Add(f.pause), true
		o := l.options()
		o.Follow, o.Since = true, l.last.Time
		last, tied := l.last.Time, l.tied
		f.reading.Go(func() { f.read(l, o, last, tied) })
	}
	return process.LogEntry{}, io.EOF
}

// read reads until the log ends or is closed. The server may send again what was printed in the
// second of the last line: lines up to that are left out, of its instant as many as are known.
func (f *follow) read(l *log, o kube.LogOptions, last time.Time, tied int) {
	body, err := l.request(l.ctx, o)
	if err == nil {
		defer body.Close() // it was only read
		for lines := newLines(body); err == nil; {
			var entry process.LogEntry
			if entry, err = lines.next(); err != nil {
				break
			}
			switch {
			case entry.Time.Before(last):
			case entry.Time.Equal(last) && tied > 0:
				tied--
			default:
				f.mu.Lock()
				f.entries = append(f.entries, entry)
				if n := len(f.entries) - maxWaiting; n > 0 {
					f.entries = append(f.entries[:0:0], f.entries[n:]...)
				}
				f.mu.Unlock()
			}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open = false
	if refused, ok := errors.AsType[*apierrors.StatusError](err); ok {
		f.err = refused
	}
}

// maxWaiting is how many lines wait for a reader; of more the oldest are dropped.
const maxWaiting = 20_000

// lines reads a log line by line.
type lines struct {
	text *bufio.Reader
	last time.Time
}

func newLines(body io.Reader) *lines { return &lines{text: bufio.NewReaderSize(body, process.MaxLine)} }

// next reads a line, or a piece of one that is too long. The error is io.EOF at the end.
func (r *lines) next() (process.LogEntry, error) {
	piece, err := r.text.ReadSlice('\n')
	if len(piece) == 0 {
		if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return process.LogEntry{}, err
	}
	partial := errors.Is(err, bufio.ErrBufferFull)
	line := strings.TrimSuffix(string(piece), "\n")
	stamp, rest, _ := strings.Cut(line, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil { // no time: it belongs to the line before
		at, rest = r.last, line
	}
	r.last = at
	return process.LogEntry{Time: at, Stream: process.Stdout, Partial: partial, Text: []byte(rest)}, nil
}
