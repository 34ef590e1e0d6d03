package live

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/terminal/screen"
)

const (
	// firstBytes is how much of the end of a log is read when somebody begins to look.
	firstBytes = 256 << 10
	// moreBytes is how much is read at a time after that.
	moreBytes = 1 << 20
	// maxLines is how many lines are kept.
	maxLines = 5000
)

// logFile follows the files of one instance: it reads what is new in them, also after they were
// rotated. It reads files, so it misses no line and holds up no program.
type logFile struct {
	file   *os.File
	offset int64
	rest   []byte // the beginning of an entry whose end is yet to come
}

func (f *logFile) close() {
	if f.file != nil {
		_ = f.file.Close() // it was only read
		f.file = nil
	}
}

// read returns the entries that are new in the files of an instance.
func (f *logFile) read(files []string) ([]process.LogEntry, error) {
	if len(files) == 0 {
		return nil, nil
	}
	if f.file == nil {
		if err := f.begin(files[len(files)-1]); err != nil {
			return nil, err
		}
	}
	var entries []process.LogEntry
	for {
		some, err := f.readSome()
		entries = append(entries, some...)
		if err != nil || len(entries) > maxLines {
			return entries, err
		}
		next, err := f.next(files)
		if err != nil || next == "" {
			return entries, err
		}
		f.close()
		if f.file, err = os.Open(next); err != nil {
			return entries, ifThere(err)
		}
		f.offset, f.rest = 0, nil
	}
}

// begin opens the newest file near its end.
func (f *logFile) begin(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return ifThere(err)
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.offset = file, max(info.Size()-firstBytes, 0)
	if f.offset > 0 {
		f.rest = []byte("cut off ") // the first line is the end of a longer one
	}
	return nil
}

// ifThere is no error if the file is not there any more, as it was rotated away.
func ifThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (f *logFile) readSome() ([]process.LogEntry, error) {
	if f.file == nil {
		return nil, nil
	}
	data, err := io.ReadAll(io.NewSectionReader(f.file, f.offset, moreBytes))
	f.offset += int64(len(data))
	data = append(f.rest, data...)
	end := bytes.LastIndexByte(data, '\n') + 1
	f.rest = slices.Clone(data[end:])
	var entries []process.LogEntry
	for line := range bytes.Lines(data[:end]) {
		if entry, err := process.ParseLogEntry(bytes.TrimSuffix(line, []byte("\n"))); err == nil {
			entries = append(entries, entry)
		}
	}
	return entries, err
}

// next is the file that follows the open one; "" if that is the newest.
func (f *logFile) next(files []string) (string, error) {
	info, err := f.file.Stat()
	if err != nil {
		return "", err
	}
	for i, path := range files {
		if other, err := os.Stat(path); err == nil && os.SameFile(info, other) {
			if i == len(files)-1 {
				return "", nil
			}
			return files[i+1], nil
		}
	}
	return files[0], nil // the open one was rotated away
}

// logReader is the log of a Pod that somebody looks at: its containers' lines, and the attempts of
// its probes between them. It belongs to the goroutine that draws.
type logReader struct {
	want  screen.Wants
	files map[string]*logFile // by Pod, container and instance
	log   *screen.Log
	seq   int
	since time.Time // of the newest attempt that is in the log
	inst  map[string]int
}

func (r *logReader) close() {
	for _, f := range r.files {
		f.close()
	}
	*r = logReader{}
}

// source is a Pod whose log is read, as it was when the lock was held.
type source struct {
	pod      *corev1.Pod
	attempts []attemptLine
}

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
		r.want, r.files, r.log, r.inst = want, map[string]*logFile{}, &screen.Log{ID: want.Log}, map[string]int{}
	}
	sources := h.logSources(want.Log, all, r.since)
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
			if a.at.After(r.since) {
				r.since = a.at
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b screen.LogLine) int { return a.At.Compare(b.At) })
	for _, l := range lines {
		l.Seq = r.seq
		l.At = l.At.Local()
		r.seq++
		r.log.Lines = append(r.log.Lines, l)
	}
	if n := len(r.log.Lines) - maxLines; n > 0 {
		r.log.Lines = slices.Clone(r.log.Lines[n:])
	}
	r.log.Title, r.log.Previous = titleOf(sources[0].pod, previous, len(sources)), previousOf(sources[0].pod)
	return r.log
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
			return endText(end)
		}
	}
	return ""
}

// readPod returns the new lines of a Pod's containers.
func (r *logReader) readPod(h *hub, pod *corev1.Pod, from string, previous bool) ([]screen.LogLine, error) {
	if h.run.LogFiles == nil {
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
		id := string(pod.UID) + "/" + s.Name
		if before, ok := r.inst[id]; ok && before < instance && !previous {
			// the last lines of the instance that ended, then a rule, then the next one
			some, err := r.readInstance(h, pod, s.Name, before, label)
			errs = errors.Join(errs, err)
			lines = append(lines, some...)
			lines = append(lines, screen.LogLine{At: instanceEnd(&s), Kind: screen.InstanceEnds, Text: []screen.Span{{Text: endRule(&s, before)}}})
		}
		r.inst[id] = instance
		some, err := r.readInstance(h, pod, s.Name, instance, label)
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
		text += " " + end.FinishedAt.Local().Format("15:04:05") + ": " + endText(end)
	}
	return text
}

func (r *logReader) readInstance(h *hub, pod *corev1.Pod, container string, instance int, label string) ([]screen.LogLine, error) {
	paths, err := h.run.LogFiles(pod, container, instance)
	if err != nil {
		return nil, err
	}
	id := string(pod.UID) + "/" + container + "/" + itoa(instance)
	if r.files[id] == nil {
		r.files[id] = &logFile{}
	}
	entries, err := r.files[id].read(paths)
	lines := make([]screen.LogLine, 0, len(entries))
	for _, e := range entries {
		lines = append(lines, screen.LogLine{At: e.Time, From: label, Text: logSpans(e.Text)})
	}
	return lines, err
}

// logSources are the Pods whose log is shown: one, or all of its workload.
func (h *hub) logSources(id string, all bool, since time.Time) []source {
	h.mu.Lock()
	defer h.mu.Unlock()
	var sources []source
	for uid, pod := range h.pods {
		if string(uid) == id {
			sources = append(sources, source{pod, h.attemptLines(pod, since)})
		}
	}
	if !all || len(sources) == 0 {
		return sources
	}
	workload := h.workloadID(sources[0].pod)
	for uid, pod := range h.pods {
		if string(uid) != id && workload != "" && h.workloadID(pod) == workload {
			sources = append(sources, source{pod, h.attemptLines(pod, since)})
		}
	}
	slices.SortFunc(sources, func(a, b source) int { return strings.Compare(a.pod.Name, b.pod.Name) })
	return sources
}

// counterText is what a probe has counted, in few words: "liveness 2/3", "readiness in".
func counterText(p *diagnosis.Probe) string {
	name := strings.ToLower(string(p.Type)) + " "
	switch {
	case p.Failed:
		return name + itoa(min(p.Run, p.Threshold)) + "/" + itoa(p.Threshold)
	case p.Type == lifecycle.Readiness && p.Passing:
		return name + "in"
	case p.Type == lifecycle.Liveness:
		return name + "0"
	}
	return name + "passed"
}
