package live

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/terminal/screen"
)

const (
	// firstBytes is how much of the end of a log is read when somebody begins to look.
	firstBytes = 256 << 10
	// moreBytes is how much is read at a time of a log that is still written.
	moreBytes = 4 << 20
	// maxLines is how many lines are kept, maxBytes how much memory they may take.
	maxLines = 5000
	maxBytes = 4 << 20
	// stampSize is about what precedes the text of a line in its file.
	stampSize = 40
)

// logReader is the log of a Pod that somebody looks at: its containers' lines, and the attempts of
// its probes between them. It belongs to the goroutine that draws.
type logReader struct {
	want screen.Wants
	open map[containerID]*openLog
	log  *screen.Log
	seq  int
	seen attemptsSeen
}

// containerID is a container of a Pod.
type containerID struct {
	pod  types.UID
	name string
}

// openLog is the log of the instance of a container that is read.
type openLog struct {
	*process.LogReader
	instance int
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
	attempts []attemptLine
}

// attemptsSeen are the newest attempts that are in a log already, by Pod and probe. They are told
// from others by their numbers: an attempt that ends after another may have begun before it.
type attemptsSeen map[types.UID]map[history.Key]uint64

// attemptLine is an attempt of a probe for a log.
type attemptLine struct {
	at     time.Time
	text   string
	failed bool
}

// read brings the log up to date.
func (r *logReader) read(h *hub, want screen.Wants, previous, all bool) *screen.Log {
	if r.log == nil || r.want.Log != want.Log || r.want.Previous != want.Previous || r.want.All != want.All {
		r.close()
		*r = logReader{want: want, open: map[containerID]*openLog{}, log: &screen.Log{ID: want.Log}, seen: attemptsSeen{}}
	}
	sources := h.logSources(want.Log, all, r.seen)
	r.closeOthers(sources)
	if len(sources) == 0 {
		r.log.Title = "the Pod is gone"
		return r.log
	}
	var lines []screen.LogLine
	r.log.Err = ""
	for _, s := range sources {
		from := ""
		if len(sources) > 1 {
			from = short(s.pod.Name)
		}
		some, err := r.readPod(h, s.pod, from, previous)
		if err != nil {
			r.log.Err = clean(fmt.Sprintf("cannot read the log: %v", err))
		}
		lines = append(lines, some...)
		if previous {
			continue
		}
		for _, a := range s.attempts {
			line := screen.LogLine{At: a.at, Kind: screen.ProbePassed, From: from, Text: []screen.Span{{Text: clean(a.text), Role: screen.Muted}}}
			if a.failed {
				line.Kind, line.Text[0].Role = screen.ProbeFailed, screen.Bad
			}
			lines = append(lines, line)
		}
	}
	slices.SortStableFunc(lines, func(a, b screen.LogLine) int { return a.At.Compare(b.At) })
	for _, l := range lines {
		l.Seq = r.seq
		l.At = l.At.Local()
		r.seq++
		r.log.Lines = append(r.log.Lines, l)
	}
	if len(lines) > 0 {
		r.log.Lines = newest(r.log.Lines)
	}
	r.log.Title, r.log.Previous = titleOf(sources[0].pod, previous, len(sources)), previousOf(sources[0].pod)
	return r.log
}

// newest are the lines of the end, as far as they are kept.
func newest(lines []screen.LogLine) []screen.LogLine {
	first, bytes := len(lines), 0
	for first > 0 && len(lines)-first < maxLines {
		if bytes += memory(lines[first-1]); bytes > maxBytes {
			break
		}
		first--
	}
	if first == 0 {
		return lines
	}
	return slices.Clone(lines[first:])
}

// memory is about how many bytes a line takes.
func memory(l screen.LogLine) int {
	bytes := int(unsafe.Sizeof(l))
	for _, s := range l.Text {
		bytes += int(unsafe.Sizeof(s)) + len(s.Text)
	}
	return bytes
}

// short is the random end of a Pod's name.
func short(name string) string { return clean(name[strings.LastIndexByte(name, '-')+1:]) }

func titleOf(pod *corev1.Pod, previous bool, pods int) string {
	if pods > 1 {
		return itoa(pods) + " Pods"
	}
	if len(pod.Status.ContainerStatuses) == 0 {
		return ""
	}
	s := &pod.Status.ContainerStatuses[0]
	n := int(s.RestartCount) + 1
	switch {
	case previous:
		return "instance " + itoa(max(n-1, 1)) + ", before"
	case s.State.Running != nil:
		return "instance " + itoa(n) + ", running"
	}
	return "instance " + itoa(n) + ", ended"
}

func previousOf(pod *corev1.Pod) string {
	for _, s := range pod.Status.ContainerStatuses {
		if end := s.LastTerminationState.Terminated; end != nil {
			return diagnosis.EndText(end)
		}
	}
	return ""
}

// readPod returns the new lines of a Pod's containers.
func (r *logReader) readPod(h *hub, pod *corev1.Pod, from string, previous bool) ([]screen.LogLine, error) {
	if h.run.OpenLog == nil {
		return nil, nil
	}
	var lines []screen.LogLine
	var errs error
	containers := lifecycle.Containers(&pod.Spec)
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		instance := int(s.RestartCount)
		if previous {
			instance--
		}
		if instance < 0 {
			continue
		}
		label := from
		if len(containers) > 1 {
			label = strings.TrimSpace(from + " " + clean(s.Name))
		}
		id := containerID{pod.UID, s.Name}
		if former := r.open[id]; former != nil && former.instance != instance {
			if !previous { // the last lines of the instance that ended, then a rule, then the next one
				some, err := former.read(label, math.MaxInt)
				errs = errors.Join(errs, err)
				lines = append(lines, some...)
				lines = append(lines, screen.LogLine{At: instanceEnd(&s), Kind: screen.InstanceEnds, Text: []screen.Span{{Text: endRule(&s, former.instance)}}})
			}
			_ = former.Close() // it was only read
			delete(r.open, id)
		}
		some, err := r.readInstance(h, pod, id, instance, label)
		errs = errors.Join(errs, err)
		lines = append(lines, some...)
	}
	return lines, errs
}

func instanceEnd(s *corev1.ContainerStatus) time.Time {
	if end := s.LastTerminationState.Terminated; end != nil {
		return end.FinishedAt.Time
	}
	return time.Now()
}

func endRule(s *corev1.ContainerStatus, instance int) string {
	text := "instance " + itoa(instance+1) + " of " + clean(s.Name) + " ended"
	if end := s.LastTerminationState.Terminated; end != nil {
		text += " " + end.FinishedAt.Local().Format("15:04:05") + ": " + diagnosis.EndText(end)
	}
	return text
}

// readInstance returns what is new of an instance; the first time that is the end of its log.
func (r *logReader) readInstance(h *hub, pod *corev1.Pod, id containerID, instance int, label string) ([]screen.LogLine, error) {
	log := r.open[id]
	if log == nil {
		log = &openLog{h.run.OpenLog(pod, id.name, instance), instance}
		r.open[id] = log
		if err := log.seekTail(); err != nil {
			return nil, err
		}
	}
	return log.read(label, moreBytes)
}

// seekTail goes to where the last lines begin.
func (l *openLog) seekTail() error {
	if err := l.SeekEnd(); err != nil {
		return err
	}
	for bytes := 0; bytes < firstBytes; {
		entry, err := l.Previous()
		if err != nil {
			return unlessEOF(err)
		}
		bytes += len(entry.Text) + stampSize
	}
	return nil
}

// read returns the lines that are new, after at most so many bytes. Of more lines than are kept it
// returns the last ones.
func (l *openLog) read(label string, most int) ([]screen.LogLine, error) {
	var lines []screen.LogLine
	size := 0 // of lines
	for bytes := 0; bytes < most; {
		entry, err := l.Next()
		if err != nil {
			return lines, unlessEOF(err)
		}
		bytes += len(entry.Text) + stampSize
		line := screen.LogLine{At: entry.Time, From: label, Text: logSpans(entry.Text)}
		lines = append(lines, line)
		if size += memory(line); size > 2*maxBytes || len(lines) > 2*maxLines {
			lines, size = newest(lines), maxBytes
		}
	}
	return lines, nil
}

// unlessEOF is the error, unless it is the end of a log.
func unlessEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// logSources are the Pods whose log is shown: one, or all of its workload.
func (h *hub) logSources(id string, all bool, seen attemptsSeen) []source {
	h.mu.Lock()
	defer h.mu.Unlock()
	var sources []source
	for uid, pod := range h.pods {
		if string(uid) == id {
			sources = append(sources, source{pod, h.attemptLines(pod, seen)})
		}
	}
	if !all || len(sources) == 0 {
		return sources
	}
	workload := h.workloadID(sources[0].pod)
	for uid, pod := range h.pods {
		if string(uid) != id && workload != "" && h.workloadID(pod) == workload {
			sources = append(sources, source{pod, h.attemptLines(pod, seen)})
		}
	}
	slices.SortFunc(sources, func(a, b source) int { return strings.Compare(a.pod.Name, b.pod.Name) })
	return sources
}
