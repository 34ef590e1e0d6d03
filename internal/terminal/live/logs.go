package live

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/terminal/screen"
)

const (
	// firstBytes is how much of the end of a log is read when somebody begins to look.
	firstBytes = 256 << 10
	// moreBytes is how much is read at a time of a log that is still written.
	moreBytes = 4 << 20
	// pausedBytes is the same for a log that somebody reads at leisure.
	pausedBytes = 64 << 10
	// maxLines is how many lines are kept, maxBytes how much memory they may take.
	maxLines = 5000
	maxBytes = 4 << 20
	// stampSize is about what precedes the text of a line in its file.
	stampSize = 40
)

// logReader is the log of a Pod that somebody looks at: its containers' lines, and the attempts of
// its probes between them. It loads the end and follows it; what is older, on demand: it never
// holds more than a window of the files. It belongs to the goroutine that draws.
type logReader struct {
	want    screen.Wants
	open    map[containerID]*openLog
	log     *screen.Log
	sources []*logSource // of the lines
	numbers int          // how many sources there were
	apart   *bounds      // of the lines that are loaded, if they do not reach to the end
	seq     int
	seen    attemptsSeen

	searching *logSearch   // that is under way
	halted    *searchedMsg // the last one, if it found nothing so far and can go on
}

// containerID is a container of a Pod.
type containerID struct {
	pod  types.UID
	name string
}

// openLog is the log of the instance of a container that is followed.
type openLog struct {
	*process.LogReader
	source *logSource
}

func (r *logReader) close() {
	for _, log := range r.open {
		_ = log.Close() // it was only read
	}
	*r = logReader{}
}

// closeOthers closes the logs of Pods that are not shown any more.
func (r *logReader) closeOthers(sources []source) {
	for id, log := range r.open {
		if !slices.ContainsFunc(sources, func(s source) bool { return s.pod.UID == id.pod }) {
			_ = log.Close() // it was only read
			delete(r.open, id)
		}
	}
}

// source is a Pod whose log is read, as it was when the lock was held.
type source struct {
	pod      *corev1.Pod
	from     string // before its lines, where there are several Pods
	attempts []attemptLine
}

// attemptsSeen are the newest attempts that are in a log already, by Pod and probe. They are told
// from others by their numbers: an attempt that ends after another may have begun before it.
type attemptsSeen map[types.UID]map[history.Key]uint64

// attemptLine is an attempt of a probe for a log.
type attemptLine struct {
	at     time.Time
	from   string // the Pod, where there are several
	text   string
	failed bool
}

// read brings the log up to date.
func (r *logReader) read(h *hub, want screen.Wants) *screen.Log {
	if r.log == nil || r.want.Log != want.Log || r.want.Previous != want.Previous || r.want.All != want.All {
		r.begin(want)
	}
	if r.apart != nil && !want.Paused {
		r.begin(want)
	}
	if r.want.Paused = want.Paused; r.apart != nil || want.Paused && r.freeze() {
		return r.log
	}
	sources := h.logSources(want, r.seen)
	r.closeOthers(sources)
	if len(sources) == 0 {
		r.log.Title = "the Pod is gone"
		return r.log
	}
	r.log.Err = ""
	var batch logBatch
	for _, s := range sources {
		if err := r.readPod(h, s, &batch); err != nil {
			r.failed(err)
		}
		for _, a := range s.attempts {
			batch.lines = append(batch.lines, a.line())
		}
	}
	slices.SortStableFunc(batch.lines, func(a, b screen.LogLine) int { return a.At.Compare(b.At) })
	switch {
	case batch.skipped:
		r.log.Lines = nil
	case len(r.log.Lines) == 0 && !batch.from.IsZero():
		r.log.Older = true
		batch.lines = slices.DeleteFunc(batch.lines, func(l screen.LogLine) bool { return l.At.Before(batch.from) })
	}
	r.merge(batch.lines)
	if dropped := r.trim(); len(dropped) > 0 || batch.skipped {
		r.log.Older = true
	}
	r.log.Title, r.log.Previous = titleOf(sources[0].pod, want.Previous, len(sources)), previousOf(sources[0].pod)
	return r.log
}

// logBatch are the lines that are new.
type logBatch struct {
	lines []screen.LogLine
	from  time.Time // since when all of them are there: some logs were not read from their beginning
	// skipped says that more was new of a log than is kept: it does not go on where it ended
	skipped bool
}

// begin begins to read a log, at its end.
func (r *logReader) begin(want screen.Wants) {
	r.close()
	*r = logReader{want: want, open: map[containerID]*openLog{}, log: &screen.Log{ID: want.Log}, seen: attemptsSeen{}}
}

// freeze ends the following of a log that somebody reads at leisure when there is no room for more,
// as what is read would be lost. It reports whether it did.
func (r *logReader) freeze() bool {
	if len(r.log.Lines) < maxLines/2 && memoryOf(r.log.Lines) < maxBytes/2 {
		return false
	}
	b, err := r.bounds()
	if err != nil {
		return r.failed(err)
	}
	r.apart, r.log.Newer = &b, true
	return true
}

// merge adds lines, in the order of time: an attempt that ends may have begun before other lines.
func (r *logReader) merge(lines []screen.LogLine) {
	first := len(r.log.Lines)
	for len(lines) > 0 && first > 0 && r.log.Lines[first-1].At.After(lines[0].At) {
		first--
	}
	if first < len(r.log.Lines) {
		r.seq = r.log.Lines[first].Seq
		lines = slices.Concat(r.log.Lines[first:], lines)
		slices.SortStableFunc(lines, func(a, b screen.LogLine) int { return a.At.Compare(b.At) })
		r.log.Lines = r.log.Lines[:first]
	}
	r.add(lines)
}

// add appends lines.
func (r *logReader) add(lines []screen.LogLine) {
	if n := len(r.log.Lines); n > 0 {
		r.seq = r.log.Lines[n-1].Seq + 1
	}
	for _, l := range lines {
		l.Seq, l.At = r.seq, l.At.Local()
		r.seq++
		r.log.Lines = append(r.log.Lines, l)
	}
}

// trim drops the first lines if there are too many, and returns them.
func (r *logReader) trim() []screen.LogLine {
	first := len(r.log.Lines) - kept(r.log.Lines, true)
	dropped := r.log.Lines[:first]
	if first > 0 {
		r.log.Lines = slices.Clone(r.log.Lines[first:])
	}
	return dropped
}

// readPod reads what is new of a Pod's containers.
func (r *logReader) readPod(h *hub, s source, batch *logBatch) error {
	if h.run.OpenLog == nil {
		return nil
	}
	var errs error
	for _, status := range slices.Concat(s.pod.Status.InitContainerStatuses, s.pod.Status.ContainerStatuses) {
		instance := int(status.RestartCount)
		if r.want.Previous {
			instance--
		}
		if instance < 0 {
			continue
		}
		id := containerID{s.pod.UID, status.Name}
		if former := r.open[id]; former != nil && former.source.id.instance != instance {
			if !r.want.Previous { // the last lines of the instance that ended, then a rule, then the next one
				errs = errors.Join(errs, former.read(batch, math.MaxInt))
				batch.lines = append(batch.lines, endRule(h.run.History.Instances(s.pod.UID), former.source.id))
			}
			_ = former.Close() // it was only read
			delete(r.open, id)
		}
		errs = errors.Join(errs, r.readInstance(h, s.pod, logID{id, instance}, label(s.pod, s.from, status.Name), batch))
	}
	return errs
}

// readInstance reads what is new of an instance; the first time that is the end of its log.
func (r *logReader) readInstance(h *hub, pod *corev1.Pod, id logID, label string, batch *logBatch) error {
	log := r.open[id.containerID]
	if log != nil {
		return log.read(batch, r.most())
	}
	// of instances before the previous one there are no files any more
	r.sources = slices.DeleteFunc(r.sources, func(s *logSource) bool { return s.id.containerID == id.containerID && s.id.instance < id.instance-1 })
	r.numbers++
	source := &logSource{id: id, number: r.numbers, label: label, open: func() *process.LogReader { return h.run.OpenLog(pod, id.name, id.instance) }}
	r.sources = append(r.sources, source)
	log = &openLog{source.open(), source}
	r.open[id.containerID] = log
	more, err := log.seekTail()
	if err != nil {
		return err
	}
	first := len(batch.lines)
	err = log.read(batch, moreBytes)
	if more && len(batch.lines) > first && batch.lines[first].At.After(batch.from) {
		batch.from = batch.lines[first].At
	}
	return err
}

// most is how many bytes are read at a time: little if what is loaded must not go.
func (r *logReader) most() int {
	if r.want.Paused {
		return pausedBytes / max(len(r.open), 1)
	}
	return moreBytes
}

// seekTail goes to where the last lines begin, and reports whether there are others before.
func (l *openLog) seekTail() (more bool, err error) {
	if err := l.SeekEnd(); err != nil {
		return false, err
	}
	for bytes := 0; bytes < firstBytes; {
		entry, err := l.Previous()
		if err != nil {
			return false, unlessEOF(err)
		}
		bytes += len(entry.Text) + stampSize
	}
	return true, nil
}

// read reads the lines that are new, until they have so many bytes. Of more lines than are kept it
// returns the last ones.
func (l *openLog) read(batch *logBatch, most int) error {
	var lines []screen.LogLine
	defer func() { batch.lines = append(batch.lines, lines...) }()
	size := 0 // of lines
	for bytes := 0; bytes < most; {
		entry, err := l.Next()
		if err != nil {
			return unlessEOF(err)
		}
		bytes += len(entry.Text) + stampSize
		line := l.source.line(entry.Time, entry.Text)
		lines = append(lines, line)
		if size += memory(line); size > 2*maxBytes || len(lines) > 2*maxLines {
			lines, size, batch.skipped = slices.Clone(lines[len(lines)-kept(lines, true):]), maxBytes, true
		}
	}
	return nil
}

// unlessEOF is the error, unless it is the end of a log.
func unlessEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// logSources are the Pods whose log is shown: one, or all of its workload.
func (h *hub) logSources(want screen.Wants, seen attemptsSeen) []source {
	h.mu.Lock()
	defer h.mu.Unlock()
	workload := ""
	for uid, pod := range h.pods {
		if string(uid) == want.Log && want.All {
			workload = h.workloadID(pod)
		}
	}
	var sources []source
	for uid, pod := range h.pods {
		if string(uid) == want.Log || workload != "" && h.workloadID(pod) == workload {
			sources = append(sources, source{pod: pod})
		}
	}
	slices.SortFunc(sources, func(a, b source) int { return strings.Compare(a.pod.Name, b.pod.Name) })
	for i := range sources {
		s := &sources[i]
		if len(sources) > 1 {
			s.from = short(s.pod.Name)
		}
		if !want.Previous {
			s.attempts = h.attemptLines(s.pod, s.from, seen)
		}
	}
	return sources
}
