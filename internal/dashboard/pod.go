package dashboard

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/facts"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
)

// podPage is /ui/pods/{namespace}/{name}. Its sections have ids: a script fetches the page again
// when something of the Pod is new, and replaces those that changed.
func (s *Server) podPage(w http.ResponseWriter, r *http.Request) {
	snap := s.snapshot()
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	p := snap.find(namespace, name)
	if p == nil {
		s.podGone(w, r, namespace, name)
		return
	}
	q := readPodsQuery(r)
	width, _ := strconv.Atoi(r.URL.Query().Get("w")) // 0 is none: the picture of a wide page
	main := list{
		e("p.crumbs", e("a", at("href", "/ui/pods"), text("Pods")), text(" / "+cmp.Or(p.Workload.Name, "of its own")), when(p.Workload.Kind != "", text(" / "+p.Workload.Kind))),
		e("div.split", at("id", "pod"), at("data-pod", string(p.UID)), at("data-probes", p.probeNumbers()),
			e("div.stack",
				s.titleLine(p),
				s.whatHappened(p, snap.now, q, cmp.Or(width, 900)),
				s.probesCard(p),
				s.attemptsCard(p),
				s.historyCard(p),
				s.logTail(p)),
			e("div.stack.wide2", s.factsCard(p, snap.now), s.findingsCard(p), s.eventsCard(p), s.environmentCard(p))),
	}
	s.page(w, r, page{Tab: podsTab, Title: p.Name, Main: main, Scripts: []string{"pod.js"}})
}

// podGone answers for a Pod that is not there any more: what is left of it are its Events.
func (s *Server) podGone(w http.ResponseWriter, r *http.Request, namespace, name string) {
	s.pageAs(w, r, http.StatusNotFound, page{Tab: podsTab, Title: "Gone", Main: list{
		e("p.crumbs", e("a", at("href", "/ui/pods"), text("Pods"))),
		e("h1", text(name)),
		e("div.card.empty", at("id", "gone"), e("h2", text("This Pod is gone")), e("p", text("It was deleted, or there never was one of that name. What makes such Pods may have made another.")),
			e("p", e("a", at("href", "/ui/events?about="+url.QueryEscape(namespace+"/"+name)), text("Events about it")))),
	}})
}

func (p *podView) probeNumbers() string {
	var all strings.Builder
	for _, v := range p.Probes {
		all.WriteString(strconv.Itoa(v.Number) + " ")
	}
	return all.String()
}

// titleLine is which Pod it is, how it is, and what can be done.
func (s *Server) titleLine(p *podView) item {
	d := p.Diagnosis
	why := list{}
	if d.Why != "" {
		why = append(why, e("p", text(d.Why), when(d.So != "", text(" "+d.So))))
	}
	if d.Next != "" && d.Attention {
		why = append(why, e("p", e("b", text("Next: ")), text(d.Next)))
	}
	return e("section.head", at("id", "head"),
		e("div.title", e("h1", text(p.Name)), e("span.state", stateMark(d.State), e("span."+lookOf(d.State).class, text(string(d.State)))),
			when(d.Reason != "", e("span.chip."+reasonClass(d), text(d.Reason))),
			e("div.right",
				e("a.btn", at("href", logsPath(p.Namespace, p.Name)), at("data-key", "l"), text("Log "), e("kbd", text("l"))),
				when(p.Pod.DeletionTimestamp == nil, list{
					when(!s.isCluster(), e("button.btn", at("type", "button"), at("data-press", "o"), text(rotationWord(p.Pod)))),
					when(!s.isCluster() || p.isRolled(), e("button.btn", at("type", "button"), at("data-press", "r"), text("Restart…")))}),
				s.menu(p))),
		e("div.why", why))
}

// rotationWord is what the button does that is on the page of a Pod.
func rotationWord(pod *corev1.Pod) string {
	if manifest.OutOfRotation(pod) {
		return "Back into rotation"
	}
	return "Out of rotation"
}

func reasonClass(d diagnosis.Diagnosis) string {
	switch {
	case d.State == diagnosis.Starting:
		return "wait"
	case d.State == diagnosis.Stopping:
		return "stop"
	case d.Attention:
		return "bad"
	}
	return "idle"
}

// attempted is an attempt of one of a Pod's probes.
type attempted struct {
	history.Attempt
	probe  *probeView
	detail history.Detail
	known  bool // the detail is
}

// attempts are the last ones of all probes, newest first.
func (s *Server) attempts(p *podView, most int) (all []attempted) {
	for _, summary := range s.opts.History.Probes(p.UID) {
		v := p.probe(summary.Key)
		if v == nil {
			continue
		}
		attempts := s.opts.History.Attempts(p.UID, summary.Key, 0)
		for _, a := range attempts[max(len(attempts)-most, 0):] {
			d, known := s.opts.History.Detail(p.UID, summary.Key, a.Seq)
			all = append(all, attempted{a, v, d, known})
		}
	}
	slices.SortStableFunc(all, func(a, b attempted) int { return b.Time.Compare(a.Time) })
	return all[:min(len(all), most)]
}

// probe is the view of a probe, also of one of an instance that has ended; nil if the Pod's spec
// has none.
func (p *podView) probe(key history.Key) *probeView {
	for _, v := range p.Probes {
		if v.Key == key {
			return v
		}
	}
	spec := p.spec(key)
	if spec == nil {
		return nil
	}
	return &probeView{Probe: diagnosis.Probe{Container: key.Container, Type: probeType(key)}, Key: key, Spec: spec, Timeout: seconds(spec.TimeoutSeconds), Label: p.label(key)}
}

// attemptsCard is the table of the last attempts.
func (s *Server) attemptsCard(p *podView) item {
	var rows list
	for _, a := range s.attempts(p, 20) {
		rows = append(rows, a.row())
	}
	if len(rows) == 0 {
		return e("section.card", at("id", "attempts"), e("div.pane", e("h2", text("Attempts")), e("p.muted", text(s.noAttempts()))))
	}
	return e("section.card", at("id", "attempts"), e("div.pane", e("h2", at("id", "h-attempts"), text("Attempts"), e("span.muted.small.plain-weight", text(s.whichAttempts()))),
		e("div.scroll", at("tabindex", "0"), at("role", "region"), at("aria-labelledby", "h-attempts"), e("table.plain",
			e("thead", e("tr", e("th", text("Time")), e("th", text("Probe")), e("th", text("Result")), e("th.num", text("Took")), e("th.num", text("Counter")), e("th", text("Answer")))),
			e("tbody", rows)))))
}

func (a *attempted) row() item {
	word, class := outcomeWord(a.Attempt)
	line, _ := message(a.probe.Type, a.probe.Spec, a.Attempt, a.detail)
	if body := firstLine(a.detail.Body); a.Outcome == history.Answered && a.probe.Spec.HTTPGet != nil && body != "" {
		line += " · " + body
	}
	return e("tr", e("td.nowrap.mono", text(a.Time.Local().Format("15:04:05.000"))), e("td.nowrap", text(a.probe.Label)), e("td.nowrap."+class, text(word)),
		e("td.num", text(latency(a.Attempt, a.probe.Timeout))), e("td.num", text(counterOf(a.probe.Type, a.probe.Spec, a.Attempt).Text)), e("td.mono.answer-cell", text(line)))
}

// outcomeWord is what an attempt came to.
func outcomeWord(a history.Attempt) (word, class string) {
	switch {
	case a.Outcome == history.Answered:
		return "success", "ok"
	case a.Outcome == history.Warning:
		return "warning", "warn"
	case a.Outcome == history.NoVerdict:
		return "not evaluated", "idle"
	case a.NotYet:
		return "not yet", "wait"
	case a.Outcome == history.TimedOut:
		return "timed out", "bad"
	}
	return "failed", "bad"
}

// moment is something that happened to a Pod.
type moment struct {
	at    time.Time
	text  string
	class string
}

// historyCard is what happened to the Pod: when it was ready and when not, and how its instances
// ended.
func (s *Server) historyCard(p *podView) item {
	moments := s.moments(p)
	var rows list
	for _, m := range moments[:min(len(moments), 30)] {
		rows = append(rows, e("tr", e("td.nowrap.mono", at("title", m.at.Local().Format(time.DateTime)), text(m.at.Local().Format(time.TimeOnly))), e("td."+m.class, text(m.text))))
	}
	if len(rows) == 0 {
		return nil
	}
	return e("section.card", at("id", "history"), e("div.pane", e("h2", text("History")), e("table.plain", e("tbody", rows))))
}

// moments are what happened to a Pod, newest first.
func (s *Server) moments(p *podView) (all []moment) {
	several := len(lifecycle.Containers(&p.Pod.Spec)) > 1
	for _, c := range s.opts.History.Changes(p.UID) {
		why := ""
		if c.Message != "" {
			why = ": " + c.Message
		}
		switch {
		case c.Kind == history.ReadyChanged && c.Container == "" && c.To == "True":
			all = append(all, moment{c.Time, "Ready", "ok"})
		case c.Kind == history.ReadyChanged && c.Container == "" && c.From == "True":
			all = append(all, moment{c.Time, "Not ready" + why, "warn"})
		case c.Kind == history.PhaseChanged:
			all = append(all, moment{c.Time, "Phase " + c.To + why, "muted"})
		}
	}
	for _, in := range s.opts.History.Instances(p.UID) {
		name := "Instance " + strconv.Itoa(in.Number+1)
		if several {
			name += " of " + in.Container
		}
		all = append(all, moment{in.Started, name + " started", "muted"})
		if in.Ended.IsZero() {
			continue
		}
		said, class := name+" ended: "+facts.EndText(in)+" after "+diagnosis.Duration(in.Ended.Sub(in.Started)), "bad"
		if in.Cause != "" {
			said, class = said+"; "+in.Cause, "warn"
		} else if in.ExitCode == 0 {
			class = "muted"
		}
		if last := facts.LastWords(in); last != "" {
			said += "; last words: “" + last + "”"
		}
		all = append(all, moment{in.Ended, said, class})
	}
	slices.SortStableFunc(all, func(a, b moment) int { return b.at.Compare(a.at) })
	return all
}

// factsCard is what is known of the Pod beside its probes.
func (s *Server) factsCard(p *podView, now time.Time) item {
	var rows list
	row := func(name string, value ...item) { rows = append(rows, e("dt", text(name)), e("dd", value...)) }
	row("Phase", text(string(p.Pod.Status.Phase)))
	var conditions []item
	for _, c := range p.Pod.Status.Conditions {
		if c.Type == corev1.PodReady || c.Type == corev1.PodInitialized && c.Status != corev1.ConditionTrue {
			conditions = append(conditions, text(string(c.Type)+": "+string(c.Status)+" since "+c.LastTransitionTime.Local().Format(time.TimeOnly)))
		}
	}
	row("Conditions", conditions...)
	row("Age", ago(p.Created, now))
	row("Restarts", text(strconv.Itoa(p.Restarts)), when(p.Restarts > 0, e("span.muted", p.lastEnd(now))))
	if s.isCluster() {
		for _, port := range toldPorts(p.Pod) {
			row("Port", e("span.mono", text(port)))
		}
		row("Node", text(cmp.Or(p.Pod.Spec.NodeName, "not scheduled yet")))
	}
	for _, c := range lifecycle.Containers(&p.Pod.Spec) {
		if s.isCluster() {
			break // nobody tells which processes there are
		}
		known := p.Facts.Containers[c.Name]
		for _, port := range known.Ports {
			row("Port", text(cmp.Or(port.Name, "")+" "+strconv.Itoa(port.Declared)+" → "), e("span.mono", text(cmp.Or(p.Pod.Status.PodIP, "127.0.0.1")+":"+strconv.Itoa(port.Actual))))
		}
		process := "none now"
		if known.PID != 0 {
			process = "pid " + strconv.Itoa(known.PID)
		}
		row("Process", text(process), when(len(lifecycle.Containers(&p.Pod.Spec)) > 1, e("span.muted", text(" "+c.Name))))
	}
	if len(p.Facts.Services) > 0 {
		var links []item
		for _, name := range p.Facts.Services {
			links = append(links, e("a", at("href", "/ui/pods?service="+url.QueryEscape(name)), text(name)), text(" "))
		}
		row("Services", links...)
	}
	if owner := p.Workload; owner.Kind != "" {
		row("Owner", text(owner.Kind+" "+owner.Name))
	}
	if manifest.OutOfRotation(p.Pod) {
		row("Rotation", text("out by hand"))
	}
	return e("section.card.pane", at("id", "facts"), e("h2", text("Pod")), e("dl.kv", rows))
}
