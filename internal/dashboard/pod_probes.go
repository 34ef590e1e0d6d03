package dashboard

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
)

// label names a probe of a Pod: its type, with the container if there are several.
func (p *podView) label(key history.Key) string {
	label := strings.ToLower(key.Type)
	if len(lifecycle.Containers(&p.Pod.Spec)) > 1 {
		label = key.Container + " " + label
	}
	return label
}

// probesCard has each probe in full.
func (s *Server) probesCard(p *podView) item {
	var panes list
	for _, c := range lifecycle.Containers(&p.Pod.Spec) {
		for _, t := range lifecycle.ProbeTypes() {
			key := history.Key{Container: c.Name, Type: string(t)}
			if v := p.probe(key); v != nil {
				panes = append(panes, s.probePane(p, c, v))
			}
		}
	}
	if len(panes) == 0 {
		return e("section.card.pane", at("id", "probes"), e("h2", text("Probes")), e("p", text("It has no probe: it counts as ready as soon as it runs, and nothing but its end is noticed.")))
	}
	return e("section.card.three", at("id", "probes"), at("aria-label", "Probes"), panes)
}

// probePane is a probe: what it asks and how often, what was sent and got the last time, and how
// long its answers took.
func (s *Server) probePane(p *podView, c *corev1.Container, v *probeView) item {
	last, known := history.Attempt{}, false
	for _, summary := range s.opts.History.Probes(p.UID) {
		if summary.Key == v.Key {
			last, known = summary.Latest, true
		}
	}
	if s.isCluster() && !v.Told {
		v.tell(s.opts.Now(), runs(p.Pod, v.Container))
	}
	title := strings.ToUpper(v.Label[:1]) + v.Label[1:]
	pane := list{e("h2", text(title), v.chip(known))}
	pane = append(pane, e("p.mono", text(diagnosis.Asked(c, v.Spec, true))), e("p.small.muted", numbersOf(v)))
	if s.isCluster() {
		return e("div.pane", pane, s.toldPane(p, v))
	}
	if !known {
		return e("div.pane", pane, e("p.small.muted", text("not asked yet")))
	}
	d, detailed := s.opts.History.Detail(p.UID, v.Key, last.Seq)
	if detailed {
		pane = append(pane, e("div.wire", at("tabindex", "0"), at("role", "region"), at("aria-label", "Last exchange of "+v.Label), e("pre", text(strings.Join(append(sent(v.Spec, d), got(v.Spec, last, d)...), "\n")))))
	}
	return e("div.pane", pane, when(v.Over, e("p.small", text("passed; never asked again in this instance"))), e("p.small.muted", text(s.statistics(p, v))))
}

func (v *probeView) chip(known bool) item {
	switch {
	case v.Over:
		return e("span.chip.ok", text("passed"))
	case v.Told:
		return e("span.chip."+cmp.Or(v.Counter.Class, "idle"), text(v.Counter.Text))
	case !known || v.Counter.Text == "":
		return e("span.chip", text("not asked yet"))
	case v.Counter.Class == "bad", v.Failed && !v.starting():
		return e("span.chip.bad", text(v.Counter.Text))
	case v.Failed:
		return e("span.chip.wait", text(v.Counter.Text))
	}
	return e("span.chip.ok", text(v.Counter.Text))
}

// starting reports whether failures are those of what has not come up yet.
func (v *probeView) starting() bool { return !v.EverPassed && (v.Type != lifecycle.Liveness) }

// numbersOf are the numbers of a probe in words. Those that are the defaults are marked, as nobody
// may have chosen them.
func numbersOf(v *probeView) item {
	var parts list
	add := func(said string, value, otherwise int32) {
		if len(parts) > 0 {
			parts = append(parts, text(" · "))
		}
		parts = append(parts, text(said))
		if value == otherwise {
			parts = append(parts, e("i", text(" (default)")))
		}
	}
	spec := v.Spec
	if spec.InitialDelaySeconds > 0 {
		add(fmt.Sprintf("first after %d s", spec.InitialDelaySeconds), 1, 0)
	}
	add(fmt.Sprintf("every %d s", spec.PeriodSeconds), spec.PeriodSeconds, 10)
	add(fmt.Sprintf("timeout %d s", spec.TimeoutSeconds), spec.TimeoutSeconds, 1)
	switch v.Type {
	case lifecycle.Readiness:
		add(fmt.Sprintf("out after %d", spec.FailureThreshold), spec.FailureThreshold, 3)
		add(fmt.Sprintf("back after %d", spec.SuccessThreshold), spec.SuccessThreshold, 1)
	case lifecycle.Startup:
		add(fmt.Sprintf("gives up after %d", spec.FailureThreshold), spec.FailureThreshold, 3)
	default:
		add(fmt.Sprintf("restarts after %d", spec.FailureThreshold), spec.FailureThreshold, 3)
	}
	return parts
}

// sent is what a probe sends.
func sent(spec *corev1.Probe, d history.Detail) []string {
	switch {
	case spec.HTTPGet != nil:
		lines := []string{"GET " + spec.HTTPGet.Path + " HTTP/1.1"}
		if d.Remote != "" {
			lines = append(lines, "Host: "+d.Remote)
		}
		lines = append(lines, "User-Agent: kube-probe/1.36")
		for _, h := range spec.HTTPGet.HTTPHeaders {
			lines = append(lines, h.Name+": "+h.Value)
		}
		return append(lines, "")
	case spec.Exec != nil:
		return []string{"$ " + strings.Join(spec.Exec.Command, " "), ""}
	case spec.GRPC != nil:
		return []string{"grpc.health.v1.Health/Check to " + d.Remote, ""}
	}
	return []string{"connect to " + d.Remote, ""}
}

// got is what came back.
func got(spec *corev1.Probe, a history.Attempt, d history.Detail) (lines []string) {
	switch {
	case a.Outcome == history.TimedOut && d.Connect > 0:
		return []string{"– connected in " + diagnosis.Latency(d.Connect) + ", sent, then silence", fmt.Sprintf("– no answer within %d s", spec.TimeoutSeconds)}
	case a.Outcome == history.TimedOut:
		return []string{fmt.Sprintf("– no answer within %d s", spec.TimeoutSeconds)}
	case d.Status != 0:
		lines = append(lines, fmt.Sprintf("%d %s  ·  %d bytes  ·  %s", d.Status, http.StatusText(d.Status), d.BodySize, diagnosis.Latency(d.Total)))
	case spec.Exec != nil:
		lines = append(lines, fmt.Sprintf("exit %d  ·  %s", d.ExitCode, diagnosis.Latency(d.Total)))
	case d.Message == "":
		lines = append(lines, answer(spec, d)+"  ·  "+diagnosis.Latency(d.Total))
	}
	if d.Status == 0 && d.Message != "" && d.Message != d.Body {
		lines = append(lines, "– "+d.Message)
	}
	if body := strings.TrimRight(d.Body, "\r\n"); body != "" {
		lines = append(lines, strings.ToValidUTF8(body, "?"))
	}
	if d.BodySize > len(d.Body) {
		lines = append(lines, fmt.Sprintf("… %d bytes in all", d.BodySize))
	}
	return lines
}

// statistics are the times that answers took, and how many attempts failed, of those that are kept.
func (s *Server) statistics(p *podView, v *probeView) string {
	var took []time.Duration
	attempts := s.opts.History.Attempts(p.UID, v.Key, 0)
	failures := 0
	for _, a := range attempts {
		if failed(a) {
			failures++
		} else {
			took = append(took, a.Took)
		}
	}
	slices.Sort(took)
	at := func(share float64) string { return diagnosis.Latency(took[int(share*float64(len(took)-1))]) }
	said := strconv.Itoa(failures) + " of " + strconv.Itoa(len(attempts)) + " failed"
	if len(took) > 0 {
		said = "p50 " + at(.5) + " · p95 " + at(.95) + " · p99 " + at(.99) + " · " + said
	}
	return said
}
