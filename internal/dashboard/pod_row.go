package dashboard

import (
	"hash/fnv"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/facts"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
)

// podPath is the page of a Pod.
func podPath(namespace, name string) string {
	return "/ui/pods/" + url.PathEscape(namespace) + "/" + url.PathEscape(name)
}

// row is a Pod in the list. Its mark changes when something of it changes but for what the stream
// brings and for the time that goes by.
func (s *Server) row(p *podView, now time.Time, q podsQuery) item {
	known := list{at("data-pod", string(p.UID)), at("data-mark", s.mark(p))}
	if q.outline {
		return e("li.pod", known)
	}
	var probes list
	for _, v := range p.Probes {
		if !v.inRow(p) {
			continue
		}
		probes = append(probes, s.probeLine(p, v, q.end(now), q.window))
	}
	return e("li.pod", known, when(p.Attention, at("data-attention", "")),
		e("div.who", p.who(now)), s.doing(p), e("ul.probes", at("aria-label", "Probes of "+p.Name), probes))
}

// inRow reports whether a probe has a line in the list: not a startup probe that has passed, which
// is on the Pod's page, and not what is asked only after the startup probe has passed.
func (v *probeView) inRow(p *podView) bool {
	starts := slices.ContainsFunc(p.Probes, func(other *probeView) bool {
		return other.Container == v.Container && other.Type == lifecycle.Startup && !other.Over
	})
	return !v.Over && (v.Asked || v.Type == lifecycle.Startup || !starts)
}

// mark is another one whenever something has changed in a Pod's row that the stream does not bring.
func (s *Server) mark(p *podView) string {
	h := fnv.New64a()
	_, _ = h.Write(markup.Part(list{p.who(time.Time{}), s.doing(p)})) // a hash takes everything
	for _, v := range p.Probes {
		if v.Told { // which the stream does not tell
			_, _ = h.Write([]byte(v.Counter.Text + strconv.FormatInt(v.At.UnixNano(), 10)))
		}
		_, _ = h.Write([]byte(v.Label + strconv.Itoa(v.Number) + strconv.FormatBool(v.inRow(p))))
	}
	if p.Attention {
		_, _ = h.Write([]byte("!"))
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// ago is the time since an instant, which scripts keep going. Without a now it has no text.
func ago(since, now time.Time) item {
	said := ""
	if !now.IsZero() {
		said = diagnosis.Age(now.Sub(since))
	}
	return e("time", at("datetime", stamp(since)), at("data-age", ""), at("title", since.Local().Format(time.DateTime)), text(said))
}

// until is the time to an instant, which scripts keep going.
func until(end, now time.Time) item {
	said := ""
	if !now.IsZero() {
		said = diagnosis.Clock(end.Sub(now))
	}
	return e("time", at("datetime", stamp(end)), at("data-until", ""), at("title", end.Local().Format(time.DateTime)), text(said))
}

// who is which Pod it is, and how it is.
func (p *podView) who(now time.Time) item {
	state := p.Diagnosis.State
	return list{
		e("h3", stateMark(state), e("a.cut", at("href", podPath(p.Namespace, p.Name)), at("title", p.Name), text(p.Name))),
		e("p.line.small", e("span."+lookOf(state).class, text(string(state))), e("span.muted", text(" · "), ago(p.Created, now),
			when(p.Port != "", text(" · "+p.Port)), when(p.Updated, text(" · new revision")), when(p.Namespace != "default", text(" · "+p.Namespace)))),
		p.third(now),
	}
}

// third is the line that only a Pod has with which something is.
func (p *podView) third(now time.Time) item {
	var parts []item
	add := func(i item) { parts = append(parts, i) }
	switch p.Diagnosis.State {
	case diagnosis.BackOff:
		if end := p.backOffEnd(); !end.IsZero() {
			add(e("b", text("restarts in "), until(end, now)))
		}
	case diagnosis.Out:
		add(text("out of rotation by hand"))
	case diagnosis.Stopping:
		if p.InFlight > 0 {
			add(text(plural(p.InFlight, "request") + " in flight"))
		}
		if end := p.killAt(); !end.IsZero() {
			add(list{text("SIGKILL in "), until(end, now)})
		}
	case diagnosis.NotReady:
		if since := p.failingSince(); !since.IsZero() {
			add(list{text("out of rotation for "), ago(since, now)})
		}
	}
	if p.Restarts > 0 {
		add(list{e("a", at("href", logsPath(p.Namespace, p.Name)+"&instance=previous"), text(plural(p.Restarts, "restart"))), p.lastEnd(now)})
	}
	if manifest.OutOfRotation(p.Pod) && p.Diagnosis.State != diagnosis.Out {
		add(text("taken out by hand"))
	}
	if len(parts) == 0 {
		return nil
	}
	return e("p.line.small", e("span.muted", markup.Join(text(" · "), parts...)))
}

// lastEnd is how the last instance ended, if that is known.
func (p *podView) lastEnd(now time.Time) item {
	if p.LastEnd.Ended.IsZero() {
		return nil
	}
	return list{text(", last "), ago(p.LastEnd.Ended, now), text(" ago: " + facts.EndText(p.LastEnd))}
}

// failingSince is when the readiness probe has begun to fail; zero if it does not.
func (p *podView) failingSince() time.Time {
	for _, v := range p.Probes {
		if string(v.Type) == "Readiness" && !v.FailingSince.IsZero() && v.EverPassed {
			return v.FailingSince
		}
	}
	return time.Time{}
}

// backOffEnd is when a container starts again that waits for its back-off.
func (p *podView) backOffEnd() time.Time {
	for _, s := range p.Pod.Status.ContainerStatuses {
		if s.State.Waiting == nil || s.State.Waiting.Reason != "CrashLoopBackOff" || s.LastTerminationState.Terminated == nil {
			continue
		}
		if delay, ok := diagnosis.BackOffDelay(s.State.Waiting.Message); ok {
			return s.LastTerminationState.Terminated.FinishedAt.Add(delay)
		}
	}
	return time.Time{}
}

// killAt is when SIGKILL follows; zero if that is not known.
func (p *podView) killAt() (first time.Time) {
	for _, c := range p.Facts.Containers {
		if !c.KillAt.IsZero() && (first.IsZero() || c.KillAt.Before(first)) {
			first = c.KillAt
		}
	}
	return first
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// logsPath is the page of a Pod's log; more parameters may follow.
func logsPath(namespace, name string) string {
	return "/ui/logs?pod=" + url.QueryEscape(namespace+"/"+name)
}

// doing is what can be done with a Pod. Scripts ask first, in place of the menu.
func (s *Server) doing(p *podView) item {
	return e("div.do",
		e("a.btn.quiet.icon", at("href", logsPath(p.Namespace, p.Name)), at("title", "Log (l)"), at("data-key", "l"), iconLog(), e("span.sr", text("Log of "+p.Name))),
		s.menu(p))
}

// menu is the menu of actions.
func (s *Server) menu(p *podView) item {
	act := func(do, label, key string) item {
		return e("button", at("type", "button"), at("data-do", do), when(key != "", at("data-key", key)), text(label), when(key != "", e("kbd", text(key))))
	}
	rotation := act("out", "Out of rotation", "o")
	if manifest.OutOfRotation(p.Pod) {
		rotation = act("back", "Back into rotation", "o")
	}
	gone := p.Pod.DeletionTimestamp != nil
	if s.isCluster() {
		return s.clusterMenu(p, act)
	}
	return e("details.menu", at("data-at", podPath(p.Namespace, p.Name)),
		e("summary.btn.quiet.icon", at("title", "Actions"), iconMore(), e("span.sr", text("Actions for "+p.Name))),
		e("div.card.acts", e("div.choices",
			when(!gone, act("restart", "Restart containers…", "r")),
			when(!gone, rotation),
			when(!gone, act("signal", "Send a signal…", "")),
			when(!gone, act("delete", "Delete Pod…", "")),
			e("button", at("type", "button"), at("data-copy", p.Name), text("Copy name")),
			e("button", at("type", "button"), at("data-copy", "kubectl -n "+p.Namespace+" describe pod "+p.Name), text("Copy kubectl line")),
		), e("div.answer", at("role", "status"))))
}

func iconLog() item {
	return svg("16", e("path.line-icon", at("d", "M2 3.5h12M2 6.5h8M2 9.5h12M2 12.5h6")))
}

func iconMore() item {
	return svg("16", e("circle", at("fill", "currentColor"), at("cx", "3"), at("cy", "8"), at("r", "1.5")), e("circle", at("fill", "currentColor"), at("cx", "8"), at("cy", "8"), at("r", "1.5")),
		e("circle", at("fill", "currentColor"), at("cx", "13"), at("cy", "8"), at("r", "1.5")))
}

// probeLine is a probe in the row of its Pod.
func (s *Server) probeLine(p *podView, v *probeView, end time.Time, window time.Duration) item {
	st := s.stripOf(p.UID, v.Key, v.Timeout, end, window)
	message := "span.msg.small.cut.muted.dull"
	if v.Bad {
		message = "span.msg.small.cut.bad"
	} else if v.Failed {
		message = "span.msg.small.cut.muted"
	}
	if !v.Asked && !v.Told {
		v.Message = "not asked yet"
	}
	return e("li.probe", when(v.Number > 0, at("data-probe", strconv.Itoa(v.Number))), at("data-type", strings.ToLower(string(v.Type))),
		at("data-failures", strconv.Itoa(int(v.Spec.FailureThreshold))), at("data-successes", strconv.Itoa(int(v.Spec.SuccessThreshold))), at("data-timeout", strconv.Itoa(int(v.Spec.TimeoutSeconds))),
		e("span.label.small", text(v.Label)),
		st.markup(v.sentence(st, window)),
		e("span.counter", v.Counter.markup()),
		e("span.lat.small", text(v.Latency)),
		e(message, at("title", v.Message), text(v.Message)))
}
