package dashboard

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
)

// logsQuery is which log is shown, and what of it. All of it is in the address.
type logsQuery struct {
	pod       string // namespace/name
	workload  string // kind/namespace/name
	container string // "" is all of them
	back      int    // how many instances before the newest one; only of a Pod
	q         string
	level     string
	stream    string
	probes    bool // lines of attempts between those of the container
	noAsked   bool
	filter    *logFilter
}

func readLogsQuery(r *http.Request) (logsQuery, error) {
	v := r.URL.Query()
	q := logsQuery{pod: v.Get("pod"), workload: v.Get("workload"), container: v.Get("container"), q: v.Get("q"), level: v.Get("level"), stream: v.Get("stream"), noAsked: v.Get("requests") == "off"}
	if v.Get("instance") == "previous" {
		q.back = 1
	} else if n, err := strconv.Atoi(v.Get("instance")); err == nil && n > 0 {
		q.back = min(n, 1000)
	}
	q.probes = q.probesOtherwise()
	if v.Has("probes") {
		q.probes = v.Get("probes") == "on"
	}
	var err error
	q.filter, err = newLogFilter(q.q, q.level, q.stream, q.noAsked)
	if err != nil {
		q.filter = &logFilter{}
	}
	return q, err
}

// probesOtherwise reports whether lines of attempts are shown if the address does not say: those of
// a Pod are, unless one looks for something.
func (q logsQuery) probesOtherwise() bool {
	return q.pod != "" && q.q == "" && q.level == "" && q.stream == ""
}

// attempts are those lines of attempts that are shown: of who looks for what is wrong, what failed.
func (q logsQuery) attempts(lines []logLine) []logLine {
	if q.level != "W" && q.level != "E" {
		return lines
	}
	return slices.DeleteFunc(lines, func(l logLine) bool { return !l.Bad })
}

// values are the parameters of the query, with one changed.
func (q logsQuery) values(name, value string) url.Values {
	v := url.Values{}
	instance, probes := "", ""
	if q.back > 0 {
		instance = strconv.Itoa(q.back)
	}
	if q.probes != q.probesOtherwise() {
		probes = map[bool]string{true: "on", false: "off"}[q.probes]
	}
	requests := ""
	if q.noAsked {
		requests = "off"
	}
	for n, set := range map[string]string{
		"pod": q.pod, "workload": q.workload, "container": q.container, "instance": instance, "q": q.q, "level": q.level, "stream": q.stream, "probes": probes, "requests": requests,
	} {
		if set != "" {
			v.Set(n, set)
		}
	}
	if v.Del(name); value != "" {
		v.Set(name, value)
	}
	return v
}

func (q logsQuery) address(name, value string) string {
	return "/ui/logs?" + q.values(name, value).Encode()
}

// sources are the instances whose output the query asks for.
func (s *Server) sources(q logsQuery) (all []*logSource) {
	o := s.objects()
	var pods []*corev1.Pod
	for _, pod := range o.pods {
		if q.pod == pod.Namespace+"/"+pod.Name || q.workload != "" && q.workload == o.workloadOf(pod).path() {
			pods = append(pods, pod)
		}
	}
	for _, pod := range pods {
		for _, source := range currentSources(pod, q.container, q.back) {
			switch several := len(lifecycle.Containers(&pod.Spec)) > 1; {
			case len(pods) > 1 && several:
				source.short = shortName(pod.Name) + "/" + source.container
			case len(pods) > 1:
				source.short = shortName(pod.Name)
			case several && q.container == "":
				source.short = source.container
			}
			all = append(all, source)
		}
	}
	return all
}

func shortName(name string) string { return name[strings.LastIndexByte(name, '-')+1:] }

// firstLines is how many lines a page begins with, and how many come when it asks for older ones.
const firstLines = 500

// maxLines is how many lines may be asked for at once: a page that is to show one reads back to it.
const maxLines = 20000

// logBatch are lines, oldest first.
type logBatch struct {
	Lines []logLine `json:"lines"`
	More  bool      `json:"more"` // there are older ones
	Error string    `json:"error,omitempty"`
}

// lines are the last lines before an instant. Of those at that instant the last ones, have, are
// left out: whoever asks has them already.
func (s *Server) lines(q logsQuery, before time.Time, have, most int) (batch logBatch) {
	limit := before
	if !before.IsZero() {
		limit = before.Add(time.Microsecond)
	}
	batch.Lines = []logLine{}
	var since time.Time // all sources are read back to here
	for _, source := range s.sources(q) {
		lines, more, err := s.tail(source, limit, most+have, q.filter)
		if err != nil {
			batch.Error = err.Error()
			continue
		}
		if more && len(lines) > 0 {
			batch.More = true
			if first := lines[len(lines)-1].time; first.After(since) {
				since = first
			}
		}
		slices.Reverse(lines)
		batch.Lines = append(batch.Lines, lines...)
		if q.probes {
			batch.Lines = append(batch.Lines, q.attempts(s.probeLines(source, since, limit))...)
		}
		batch.Lines = append(batch.Lines, slices.DeleteFunc(s.rules(source), func(l logLine) bool { return !limit.IsZero() && !l.time.Before(limit) })...)
	}
	merged(batch.Lines)
	batch.Lines = slices.DeleteFunc(batch.Lines, func(l logLine) bool { return l.time.Before(since) })
	for ; have > 0 && len(batch.Lines) > 0 && batch.Lines[len(batch.Lines)-1].At == before.UnixMicro(); have-- {
		batch.Lines = batch.Lines[:len(batch.Lines)-1]
	}
	if n := len(batch.Lines) - most; n > 0 {
		batch.Lines, batch.More = batch.Lines[n:], true
	}
	return batch
}

// logLines is GET /ui/logs/lines?before=µs&have=N&most=N: older lines, as JSON.
func (s *Server) logLines(w http.ResponseWriter, r *http.Request) {
	q, err := readLogsQuery(r)
	micros, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // 0 is the end
	have, _ := strconv.Atoi(r.URL.Query().Get("have"))
	most, _ := strconv.Atoi(r.URL.Query().Get("most")) // 0 is none
	before := time.Time{}
	if micros > 0 {
		before = time.UnixMicro(micros)
	}
	batch := logBatch{Lines: []logLine{}}
	if err != nil {
		batch.Error = err.Error()
	} else {
		batch = s.lines(q, before, max(have, 0), max(firstLines, min(most, maxLines)))
	}
	data, err := json.Marshal(batch)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data) // who has left does not get it
}

// download is GET /ui/logs/download?pod&container&instance: all that is kept of an instance, as the
// program printed it.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	q, _ := readLogsQuery(r) // without the filter
	sources := s.sources(q)
	if q.pod == "" || len(sources) == 0 {
		http.Error(w, "there is no such log: it needs a Pod", http.StatusNotFound)
		return
	}
	source := sources[0]
	name := fmt.Sprintf("%s.%s.%d.log", source.pod.Name, source.container, source.instance)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+strings.Map(fileRune, name)+`"`)
	log := s.openLog(source)
	defer log.Close() // it is only read
	control := http.NewResponseController(w)
	for n := 0; ; n++ {
		entry, err := log.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				s.opts.Logger.Error("Cannot read a log", "error", err)
			}
			return
		}
		if n%1000 == 0 {
			_ = control.SetWriteDeadline(time.Now().Add(sendTime)) // without deadlines it is a test
		}
		line := append(slices.Clone(entry.Text), '\n')
		if entry.Partial {
			line = entry.Text
		}
		if _, err := w.Write(line); err != nil {
			return
		}
	}
}

func fileRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
		return r
	}
	return '_'
}

// logsPage is /ui/logs. Without a Pod or a workload it offers what there is.
func (s *Server) logsPage(w http.ResponseWriter, r *http.Request) {
	q, err := readLogsQuery(r)
	if q.pod == "" && q.workload == "" {
		s.logChoice(w, r)
		return
	}
	sources := s.sources(q)
	var problem item
	if err != nil {
		problem = e("p.err", at("role", "alert"), text(err.Error()))
	}
	name := cmp.Or(q.pod, q.workload)
	main := list{
		e("p.crumbs", e("a", at("href", "/ui/logs"), text("Logs")), text(" / "+name)),
		e("h1.sr", text("Log of "+name)), s.logTools(q, sources), problem,
	}
	if len(sources) == 0 {
		what := "There is no such Pod any more."
		if q.back > 0 {
			what = "There was no instance before this one."
		}
		main = append(main, e("div.card.empty", e("h2", text("No log")), e("p", text(what)), e("p", e("a", at("href", "/ui/logs"), text("All logs")))))
		s.page(w, r, page{Tab: logsTab, Title: "Log", Main: main})
		return
	}
	batch := s.lines(q, time.Time{}, 0, firstLines)
	data, err := json.Marshal(batch)
	if err != nil {
		data = []byte("{}") // nothing of it cannot be marshalled
	}
	main = append(main, e("div.card.logbox",
		e("div.lines", at("id", "lines"), at("role", "log"), at("aria-live", "off"), at("aria-label", "Log of "+name), at("tabindex", "0"),
			at("data-query", q.values("", "").Encode()), at("data-live", map[bool]string{true: "on", false: ""}[q.back == 0]), e("div.shown", lastRows(batch.Lines))),
		e("p.sr", at("id", "first-lines"), at("data-batch", string(data))),
		e("div.logfoot.small", e("span", at("id", "log-state"), text(plural(len(batch.Lines), "line"))), e("button.btn", at("type", "button"), at("id", "to-end"), at("hidden", ""), text("↓")))))
	s.page(w, r, page{Tab: logsTab, Title: "Log of " + name, Main: main, Scripts: []string{"logs.js"}})
}

// lastRows are the last lines, for who sees the page before its script has run, or without it.
func lastRows(lines []logLine) (rows list) {
	const seen = 50
	for _, l := range lines[max(0, len(lines)-seen):] {
		rows = append(rows, l.row())
	}
	return rows
}

// logTools are the filter and the switches.
func (s *Server) logTools(q logsQuery, sources []*logSource) item {
	var levels list
	for _, l := range [][2]string{{"", "All levels"}, {"I", "Info and worse"}, {"W", "Warnings and worse"}, {"E", "Errors"}} {
		levels = append(levels, e("option", at("value", l[0]), when(q.level == l[0], at("selected", "")), text(l[1])))
	}
	var streams list
	for _, l := range [][2]string{{"", "Both streams"}, {string(process.Stdout), "Only stdout"}, {string(process.Stderr), "Only stderr"}} {
		streams = append(streams, e("option", at("value", l[0]), when(q.stream == l[0], at("selected", "")), text(l[1])))
	}
	toggle := func(id, key, label string, pressed bool) item {
		return e("button.btn", at("type", "button"), at("id", id), at("data-key", key), at("aria-pressed", strconv.FormatBool(pressed)), text(label+" "), e("kbd", text(key)))
	}
	return e("form.tools", at("role", "search"), at("id", "log-tools"), at("action", "/ui/logs"), at("method", "get"),
		e("label.sr", at("for", "q"), text("Filter lines")),
		e("input", at("id", "q"), at("type", "search"), at("name", "q"), at("value", q.q), at("placeholder", "Filter: text or /regexp/"), at("size", "26"), at("autocomplete", "off")),
		when(q.pod != "", e("input", at("type", "hidden"), at("name", "pod"), at("value", q.pod))),
		when(q.workload != "", e("input", at("type", "hidden"), at("name", "workload"), at("value", q.workload))),
		when(q.back > 0, e("input", at("type", "hidden"), at("name", "instance"), at("value", strconv.Itoa(q.back)))),
		e("label.sr", at("for", "level"), text("Level")), e("select", at("id", "level"), at("name", "level"), levels),
		when(!s.isCluster(), list{e("label.sr", at("for", "stream"), text("Stream")), e("select", at("id", "stream"), at("name", "stream"), streams)}),
		q.instances(sources), q.workloadLink(s, sources),
		e("div.right",
			toggle("follow", "f", "Follow", q.back == 0), toggle("wrap", "w", "Wrap", false), toggle("times", "t", "Time", true),
			e("a.btn", at("href", q.address("probes", map[bool]string{true: "off", false: "on"}[q.probes])), at("id", "asked"), at("data-key", "b"), at("aria-pressed", strconv.FormatBool(q.probes)), at("role", "button"), text("Probes "), e("kbd", text("b"))),
			e("button.btn", at("type", "button"), at("id", "announce"), at("aria-pressed", "false"), at("title", "Have screen readers say each error, at most one in five seconds"), text("Announce errors")),
			when(q.pod != "", e("a.btn", at("href", "/ui/logs/download?"+q.values("q", "").Encode()), at("download", ""), text("Download")))))
}

// instances leads to the log of the instance before, and back.
func (q logsQuery) instances(sources []*logSource) item {
	if q.pod == "" {
		return nil
	}
	restarts := 0
	for _, source := range sources {
		restarts = max(restarts, source.instance+q.back)
	}
	if restarts == 0 && q.back == 0 {
		return nil
	}
	return e("div.seg", at("role", "group"), at("aria-label", "Instance"),
		e("a", at("href", q.address("instance", "")), when(q.back == 0, at("aria-current", "true")), text("this instance")),
		e("a", at("href", q.address("instance", "1")), when(q.back > 0, at("aria-current", "true")), text("the one before")))
}

// workloadLink leads from a Pod to all Pods of its workload.
func (q logsQuery) workloadLink(s *Server, sources []*logSource) item {
	if q.pod == "" || len(sources) == 0 {
		return nil
	}
	w := s.objects().workloadOf(sources[0].pod)
	if w.Kind == "" {
		return nil
	}
	return e("a.btn", at("href", "/ui/logs?workload="+url.QueryEscape(w.path())), text("all of "+w.Name))
}

// logChoice offers the logs that there are.
func (s *Server) logChoice(w http.ResponseWriter, r *http.Request) {
	snap := s.snapshot()
	var groups list
	for _, g := range snap.groups {
		if len(g.pods) == 0 {
			continue
		}
		var rows list
		for _, p := range g.pods {
			rows = append(rows, e("li", stateMark(p.Diagnosis.State), text(" "), e("a", at("href", logsPath(p.Namespace, p.Name)), text(p.Name)), e("span.muted.small", text(" "+string(p.Diagnosis.State))),
				when(p.Restarts > 0, list{text(" "), e("a.small", at("href", logsPath(p.Namespace, p.Name)+"&instance=previous"), text("before the last restart"))})))
		}
		head := e("h2", text("Pods of their own"))
		if !g.hasNoWorkload {
			head = e("h2", e("a", at("href", "/ui/logs?workload="+url.QueryEscape(g.path())), text("all of "+g.Name)))
		}
		groups = append(groups, e("section.pane", head, e("ul.choice", rows)))
	}
	main := list{e("h1.sr", text("Logs"))}
	if len(groups) == 0 {
		main = append(main, e("div.card.empty", e("h2", text("No logs")), e("p", text("There is no Pod that could print something."))))
	} else {
		main = append(main, e("div.card", groups))
	}
	s.page(w, r, page{Tab: logsTab, Title: "Logs", Main: main})
}
