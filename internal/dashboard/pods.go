package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/dashboard/markup"
)

// podsQuery is what is shown of the Pods. All of it is in the address.
type podsQuery struct {
	text      string // in the name, the state or a message
	attention bool   // only those that need attention
	service   string // only those that this Service selects
	window    time.Duration
	until     time.Time // where the time that is shown ends; zero: now
	outline   bool      // rows without what is in them
}

func readPodsQuery(r *http.Request) podsQuery {
	values := r.URL.Query()
	q := podsQuery{text: values.Get("q"), attention: values.Get("state") == "attention", service: values.Get("service"), window: 5 * time.Minute, outline: values.Has("outline")}
	minutes, _ := strconv.Atoi(values.Get("window")) // 0 is none of them
	if w := time.Duration(minutes) * time.Minute; slices.Contains(windows(), w) {
		q.window = w
	}
	if seconds, err := strconv.ParseInt(values.Get("until"), 10, 64); err == nil && seconds > 0 {
		q.until = time.Unix(seconds, 0)
	}
	return q
}

// end is where the time that is shown ends.
func (q podsQuery) end(now time.Time) time.Time {
	if q.until.IsZero() || q.until.After(now) {
		return now
	}
	return q.until
}

// address is the page with another value of one parameter.
func (q podsQuery) address(name, value string) string { return q.addressOf("/ui/pods", name, value) }

// addressOf is the same for another page that shows time.
func (q podsQuery) addressOf(page, name, value string) string {
	values := url.Values{}
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	set("q", q.text)
	set("service", q.service)
	if q.attention {
		set("state", "attention")
	}
	if q.window != 5*time.Minute {
		set("window", strconv.Itoa(int(q.window.Minutes())))
	}
	if !q.until.IsZero() {
		set("until", strconv.FormatInt(q.until.Unix(), 10))
	}
	values.Del(name)
	set(name, value)
	if len(values) == 0 {
		return page
	}
	return page + "?" + values.Encode()
}

// timeChoice is how much time a page shows, and which: keys 1 to 4, [ and ].
func (q podsQuery) timeChoice(page string, now time.Time, word func(time.Duration) string) item {
	var spans list
	for i, w := range windows() {
		spans = append(spans, e("a", at("href", q.addressOf(page, "window", strconv.Itoa(int(w.Minutes())))), when(w == q.window, at("aria-current", "true")), at("data-key", strconv.Itoa(i+1)), at("title", "Key "+strconv.Itoa(i+1)), text(word(w))))
	}
	end := q.end(now)
	step := func(to time.Time, key, mark, word string) item {
		until := ""
		if to.Before(now.Add(-q.window / 2)) { // what is nearer is now: it has gone on since the page was made
			until = strconv.FormatInt(to.Unix(), 10)
		}
		return e("a", at("href", q.addressOf(page, "until", until)), at("data-key", key), at("title", word+" (key "+key+")"), e("span", at("aria-hidden", "true"), text(mark)), e("span.sr", text(word)))
	}
	moves := list{step(end.Add(-q.window), "[", "‹", "Earlier")}
	if end.Before(now) {
		moves = append(moves, step(end.Add(q.window), "]", "›", "Later"), e("a", at("href", q.addressOf(page, "until", "")), text("Now")))
	}
	return list{e("div.seg", at("role", "group"), at("aria-label", "Which time"), moves), e("div.seg", at("role", "group"), at("aria-label", "Time shown"), spans)}
}

// takes reports whether a Pod is shown.
func (q podsQuery) takes(p *podView) bool {
	if q.attention && !p.Attention || q.service != "" && !slices.Contains(p.Facts.Services, q.service) {
		return false
	}
	if q.text == "" {
		return true
	}
	all := []string{p.Name, string(p.Diagnosis.State), p.Workload.Name, p.Diagnosis.Reason}
	for _, v := range p.Probes {
		all = append(all, v.Message)
	}
	return strings.Contains(strings.ToLower(strings.Join(all, "\n")), strings.ToLower(q.text))
}

// podsPage is /ui/pods. For scripts it is, with ?only=UID,..., the rows of these Pods alone and,
// with ?outline, the page with empty rows, which tell which Pods there are and what has changed.
func (s *Server) podsPage(w http.ResponseWriter, r *http.Request) {
	q := readPodsQuery(r)
	snap := s.snapshot()
	if only := r.URL.Query().Get("only"); only != "" {
		s.podRows(w, r, snap, q, strings.Split(only, ","))
		return
	}
	shown := 0
	for _, p := range snap.pods {
		if q.takes(p) {
			shown++
		}
	}
	main := list{e("h1.sr", text("Pods")), servicesShort(snap), s.podTools(snap, q)}
	switch {
	case len(snap.pods) == 0:
		main = append(main, s.noPods())
	case shown == 0:
		main = append(main, noMatch(len(snap.pods)))
	default:
		main = append(main, s.podList(snap, q))
	}
	s.page(w, r, page{Tab: podsTab, Title: "Pods", Main: main, Scripts: []string{"pods.js"}})
}

// podRows are the rows of some Pods, as far as they are shown.
func (s *Server) podRows(w http.ResponseWriter, r *http.Request, snap *snapshot, q podsQuery, only []string) {
	var rows list
	for _, p := range snap.pods {
		if slices.Contains(only, string(p.UID)) && q.takes(p) {
			rows = append(rows, s.row(p, snap.now, q))
		}
	}
	writeZipped(w, r, http.StatusOK, markup.Page(e("html", e("head", e("title", text("Pods"))), e("body", e("ul", rows)))))
}

// servicesShort are the Services in a line each.
func servicesShort(snap *snapshot) item {
	if len(snap.services) == 0 {
		return nil
	}
	var lines list
	for _, v := range snap.services {
		lines = append(lines, v.line())
	}
	return e("section", at("aria-labelledby", "h-services"), e("h2.sr", at("id", "h-services"), text("Services")), e("div.card.services", at("id", "services"), lines))
}

// podTools are the filter and the window.
func (s *Server) podTools(snap *snapshot, q podsQuery) item {
	current := func(is bool) item { return when(is, at("aria-current", "true")) }
	all, attention := q, q
	all.attention, attention.attention = false, true
	short := func(w time.Duration) string {
		if w == time.Hour {
			return "1 h"
		}
		return strconv.Itoa(int(w.Minutes())) + " m"
	}
	return e("form.tools", at("role", "search"), at("action", "/ui/pods"), at("method", "get"),
		e("label.sr", at("for", "q"), text("Filter Pods")),
		e("input", at("id", "q"), at("type", "search"), at("name", "q"), at("value", q.text), at("placeholder", "Filter by name, state or message"), at("size", "30"), at("autocomplete", "off")),
		when(!q.until.IsZero(), e("input", at("type", "hidden"), at("name", "until"), at("value", strconv.FormatInt(q.until.Unix(), 10)))),
		when(q.window != 5*time.Minute, e("input", at("type", "hidden"), at("name", "window"), at("value", strconv.Itoa(int(q.window.Minutes()))))),
		when(q.service != "", e("a.btn", at("href", q.address("service", "")), at("title", "Show all Services"), text("Service "+q.service+" ×"))),
		e("div.seg", at("role", "group"), at("aria-label", "State"),
			e("a", at("href", all.address("state", "")), current(!q.attention), text("All "), e("span", at("data-count", "all"), text(strconv.Itoa(len(snap.pods))))),
			e("a", at("href", attention.address("", "")), current(q.attention), text("Needs attention "), e("span", at("data-count", "attention"), text(strconv.Itoa(snap.attend))))),
		e("div.right",
			q.timeChoice("/ui/pods", snap.now, short),
			e("button.btn", at("type", "button"), at("id", "pause"), at("data-key", "p"), at("aria-pressed", "false"), e("span", text("Pause")), text(" "), e("kbd", text("p")))))
}

// podList are the Pods by workload, all strips on one axis.
func (s *Server) podList(snap *snapshot, q podsQuery) item {
	var groups list
	for _, g := range snap.groups {
		var rows list
		for _, p := range g.pods {
			if q.takes(p) {
				rows = append(rows, s.row(p, snap.now, q))
			}
		}
		switch {
		case len(rows) > 0:
			groups = append(groups, s.groupHead(g), e("ul.rows", rows))
		case len(g.pods) == 0 && q.text == "" && !q.attention && q.service == "":
			groups = append(groups, s.groupHead(g), e("p.none.small.muted", text(noReplicas(g))))
		}
	}
	half, end := q.window/2, q.end(snap.now)
	last := "now"
	if end.Before(snap.now) {
		last = end.Local().Format(time.TimeOnly)
	}
	return e("section.card.pods", when(end.Before(snap.now), at("data-past", "")), at("id", "pods"), at("aria-label", "Pods"), at("data-window", strconv.FormatInt(q.window.Milliseconds(), 10)), at("data-now", strconv.FormatInt(snap.now.UnixMilli(), 10)),
		e("div.axis", at("aria-hidden", "true"), e("span", text("Pod")), e("span", text("Probe")),
			e("span.ticks", e("time", at("id", "axis-start"), text(end.Add(-q.window).Local().Format(time.TimeOnly))), e("span", text("–"+clock(half))), e("span", at("id", "axis-end"), text(last))),
			e("span", text("Counter")), e("span.lat", text("Latency")), e("span", text("Last answer")), e("span")),
		groups, s.legend())
}

func clock(d time.Duration) string {
	if d >= time.Minute {
		return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("0:%02d", int(d.Seconds()))
}

func noReplicas(g *podGroup) string {
	if g.desired == 0 {
		return "Scaled to 0: no Pod is wanted."
	}
	return "No Pod yet."
}

// groupHead is a workload above its Pods.
func (s *Server) groupHead(g *podGroup) item {
	if g.hasNoWorkload {
		var counts list
		for _, p := range g.pods {
			if of := s.findingCounts(workloadRef{"Pod", p.Namespace, p.Name}); of != nil {
				counts = append(counts, e("span.small", text(p.Name+" "), of))
			}
		}
		return e("div.group", e("h2", text("Pods of their own")), e("span.muted.small", text("no workload makes them again")), counts)
	}
	return e("div.group",
		e("h2", text(g.Name)),
		e("span.muted.small", text(g.Kind), when(!g.uncounted, text(" · "+plural(g.desired, "replica"))), when(g.Namespace != "default", text(" · "+g.Namespace))),
		when(g.text != "", e("span.small", e("span.wait", text(g.text)), when(g.waits != "", e("span.muted", text(" · "+g.waits))))),
		s.findingCounts(g.workloadRef),
		when(g.isConfigurable(), e("a.right.small", at("href", healthPath(g.Kind, g.Namespace, g.Name)), at("aria-label", "Health checks of "+g.Name), text("Health checks"))))
}

// isConfigurable reports whether the health checks of a workload can be looked at and changed.
func (g *podGroup) isConfigurable() bool { return !g.uncounted && g.Kind != "DaemonSet" }

func (s *Server) noPods() item {
	if s.isCluster() {
		return e("div.card.empty", at("id", "pods"), e("h2", text("No Pods")), e("p", text(s.noneOf("pods", "Pod"))), e("p", e("a", at("href", "/ui/events"), text("Events"))))
	}
	what := "Nothing is run here yet: probity apply FILE --state-dir brings something."
	if s.opts.Title != "probity" {
		what = "The manifests want no Pod, or it is not there yet. Save a change, or scale a workload."
	}
	return e("div.card.empty", at("id", "pods"), e("h2", text("No Pods")), e("p", text(what)), e("p", e("a", at("href", "/ui/events"), text("Events"))))
}

func noMatch(hidden int) item {
	return e("div.card.empty", at("id", "pods"), e("h2", text("Nothing matches")), e("p", text(plural(hidden, "Pod")+" hidden.")), e("p", e("a.btn", at("href", "/ui/pods"), text("Show all"))))
}

// legend explains the marks.
func (s *Server) legend() item {
	mark := func(word string, items ...item) item {
		return e("span", e("svg.mark", append([]item{at("width", "14"), at("height", "20"), at("viewBox", "0 0 14 20"), at("aria-hidden", "true")}, items...)...), text(word))
	}
	path := func(class, d string) item { return e("path."+class, at("d", d)) }
	if s.isCluster() {
		return e("div.legend",
			mark("failed, as an Event tells", path("s-bad", "M5 2h4v8H5zM5 11h4v8H5z")),
			mark("not yet, while starting", path("s-yet", "M5 2h4v8H5zM5 11h4v8H5z")),
			mark("timed out", path("s-late", "M5.5 2.5h3v16h-3z")),
			mark("nothing was told: "+noSuccesses, path("s-none", "M1 17h1v1H1zM6 17h1v1H6zM11 17h1v1h-1z")),
			mark("restarted", path("s-cut", "M7 2v18"), path("s-cutf", "M3 0h8L7 5z")))
	}
	return e("div.legend",
		mark("succeeded; the taller, the slower", path("s-ok", "M0 15h4v4H0zM5 11h4v8H5zM10 5h4v14h-4z")),
		mark("warning", path("s-warn", "M5 11h4v8H5zM5.5 5h3v3h-3z")),
		mark("failed", path("s-bad", "M5 2h4v8H5zM5 11h4v8H5z")),
		mark("not yet, while starting", path("s-yet", "M5 2h4v8H5zM5 11h4v8H5z")),
		mark("timed out", path("s-late", "M5.5 2.5h3v16h-3z")),
		mark("not evaluated, not counted", path("s-err", "M7 8l3 3-3 3-3-3z")),
		mark("no attempt", path("s-none", "M1 17h1v1H1zM6 17h1v1H6zM11 17h1v1h-1z")),
		mark("acted upon: passing, then failing", path("s-up", "M0 17h7v1.5H0z"), path("s-down", "M7 16h7v3.5H7z")),
		mark("restarted", path("s-cut", "M7 2v18"), path("s-cutf", "M3 0h8L7 5z")),
	)
}
