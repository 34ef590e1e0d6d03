package dashboard

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/process"
)

// logSource is an instance of a container whose output is read.
type logSource struct {
	pod       *corev1.Pod
	container string
	instance  int
	short     string // before its lines, if there are several
}

// key is that of its container.
func (s *logSource) key() string { return string(s.pod.UID) + "/" + s.container }

// logLine is a line of a log, for scripts.
type logLine struct {
	At    int64  `json:"t"`           // µs
	From  string `json:"p,omitempty"` // Pod, if there are several
	Kind  string `json:"k,omitempty"` // probe, rule; "" for a line of the container
	Level string `json:"l,omitempty"`
	// Spans are classes and texts in turn.
	Spans []string `json:"s"`
	// Bad says that an attempt failed.
	Bad bool `json:"b,omitempty"`
	// Match says that the line is one that is looked for.
	Match bool `json:"m,omitempty"`
	time  time.Time
}

func lineOf(s *logSource, entry process.LogEntry) logLine {
	out := logLine{At: entry.Time.UnixMicro(), From: s.short, Level: levelOf(entry.Text), time: entry.Time}
	if isProbeLine(entry.Text) {
		out.Kind = "request"
	}
	for _, piece := range spansOf(entry.Text) {
		out.Spans = append(out.Spans, piece.class, piece.text)
	}
	if out.Spans == nil {
		out.Spans = []string{"", ""}
	}
	return out
}

// tail are the last lines of a source before a time, newest first, which the filter takes. It reads
// no more than so many bytes.
func (s *Server) tail(source *logSource, before time.Time, most int, f *logFilter) (lines []logLine, more bool, err error) {
	log := s.openLog(source)
	defer func() { err = errors.Join(err, log.Close()) }()
	if err := log.SeekEnd(); err != nil {
		return nil, false, err
	}
	for bytes := 0; len(lines) < most; {
		entry, err := log.Previous()
		if errors.Is(err, io.EOF) {
			return lines, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if bytes += len(entry.Text) + 40; bytes > maxRead {
			return lines, true, nil
		}
		if !before.IsZero() && !entry.Time.Before(before) || !f.takes(entry) {
			continue
		}
		lines = append(lines, lineOf(source, entry))
	}
	return lines, true, nil
}

// maxRead is how much of a log is read for one answer.
const maxRead = 32 << 20

// probeLines are attempts of a source's Pod as lines between those of its container.
func (s *Server) probeLines(source *logSource, after, before time.Time) (lines []logLine) {
	p := &podView{Pod: source.pod, UID: source.pod.UID}
	for _, summary := range s.opts.History.Probes(source.pod.UID) {
		spec := p.spec(summary.Key)
		if summary.Container != source.container || spec == nil {
			continue
		}
		for _, a := range s.opts.History.Attempts(source.pod.UID, summary.Key, 0) {
			if a.Instance == source.instance && a.Time.After(after) && (before.IsZero() || a.Time.Before(before)) {
				lines = append(lines, probeLineOf(source, summary.Key, spec, a))
			}
		}
	}
	return lines
}

// probeLineOf is an attempt as a line: "GET /livez 200 0.8 ms  liveness 0/3".
func probeLineOf(source *logSource, key history.Key, spec *corev1.Probe, a history.Attempt) logLine {
	said, bad := message(probeType(key), spec, a, history.Detail{})
	if a.Outcome == history.Answered {
		said = "answered"
	}
	text := "probe " + askedShort(spec) + " " + said + " " + latency(a, seconds(spec.TimeoutSeconds)) + "   " + strings.ToLower(key.Type) + " " + counterOf(probeType(key), spec, a).Text
	return logLine{At: a.Time.UnixMicro(), From: source.short, Kind: "probe", Spans: []string{"", oneLine(text)}, Bad: bad && failed(a), time: a.Time}
}

func askedShort(spec *corev1.Probe) string {
	switch {
	case spec.HTTPGet != nil:
		return "GET " + spec.HTTPGet.Path
	case spec.TCPSocket != nil:
		return "tcp " + spec.TCPSocket.Port.String()
	case spec.GRPC != nil:
		return "grpc"
	}
	return "exec"
}

// rules are where instances of a container began, as lines across the log.
func (s *Server) rules(source *logSource) []logLine {
	var lines []logLine
	for _, in := range s.opts.History.Instances(source.pod.UID) {
		if in.Container == source.container && in.Number == source.instance && !in.Ended.IsZero() {
			lines = append(lines, logLine{At: in.Ended.UnixMicro(), From: source.short, Kind: "rule", Spans: []string{"", endSentence(in)}, time: in.Ended})
		}
	}
	return lines
}

// merged are lines of several sources in the order of time.
func merged(lines []logLine) []logLine {
	slices.SortStableFunc(lines, func(a, b logLine) int { return a.time.Compare(b.time) })
	return lines
}

// currentSources are the running or last instances of a Pod's containers; with back, those before.
func currentSources(pod *corev1.Pod, container string, back int) (all []*logSource) {
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if instance := int(status.RestartCount) - back; instance >= 0 && (container == "" || status.Name == container) {
			all = append(all, &logSource{pod: pod, container: status.Name, instance: instance})
		}
	}
	return all
}

// logTail are the last lines of a Pod, with the requests of its probes between them.
func (s *Server) logTail(p *podView) item {
	var lines []logLine
	for _, source := range currentSources(p.Pod, "", 0) {
		tail, _, err := s.tail(source, time.Time{}, tailLines, &logFilter{})
		if err != nil {
			return e("section.card.pane", at("id", "log"), e("h2", text("Log")), e("p.bad", text(err.Error())))
		}
		var since time.Time
		if len(tail) > 0 {
			since = tail[len(tail)-1].time
		}
		lines = append(append(lines, tail...), s.probeLines(source, since, time.Time{})...)
	}
	lines = merged(lines)
	lines = lines[max(0, len(lines)-tailLines):]
	var rows list
	for _, l := range lines {
		rows = append(rows, l.row())
	}
	body := e("p.small.muted", text("It has printed nothing yet."))
	if len(rows) > 0 {
		body = e("div.log", at("tabindex", "0"), at("role", "region"), at("aria-label", "Last lines of the log"), rows)
	}
	return e("section.card", at("id", "log"), e("div.pane", e("h2", text("Log"), e("span.muted.small.plain-weight", text("with the probes' requests")), e("a.small", at("href", logsPath(p.Namespace, p.Name)), text("all")))), body)
}

// tailLines is how many lines the page of a Pod has.
const tailLines = 12

// row is a line on a page.
func (l logLine) row() item {
	var spans list
	for i := 0; i+1 < len(l.Spans); i += 2 {
		if l.Spans[i] == "" {
			spans = append(spans, text(l.Spans[i+1]))
		} else {
			spans = append(spans, e("span."+strings.ReplaceAll(l.Spans[i], " ", "."), text(l.Spans[i+1])))
		}
	}
	row := "div"
	if l.Kind == "probe" {
		if row = "div.p"; l.Bad {
			row = "div.p.bad"
		}
	}
	return e(row, e("time", text(l.time.Local().Format("15:04:05.000"))), spans)
}
