package dashboard

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/store"
)

// maxEvents is how many lines of Events a page has.
const maxEvents = 500

// foldedEvent is an Event, or several equal ones in a row.
type foldedEvent struct {
	*corev1.Event // the newest
	at, since     time.Time
	times         int
}

// foldEvents are Events, newest first. Equal ones that follow each other are one.
func foldEvents(events []*corev1.Event, takes func(*corev1.Event) bool) (all []*foldedEvent) {
	events = slices.DeleteFunc(slices.Clone(events), func(e *corev1.Event) bool { return !takes(e) })
	slices.SortStableFunc(events, func(a, b *corev1.Event) int { return store.LastSeen(b).Compare(store.LastSeen(a)) })
	last := map[string]*foldedEvent{} // by what it is about: only equal ones in a row fold
	for _, event := range events {
		about := string(event.InvolvedObject.UID) + event.InvolvedObject.Kind + event.InvolvedObject.Name
		if before := last[about]; before != nil && before.Reason == event.Reason && before.Message == event.Message && before.Type == event.Type {
			before.times += max(int(event.Count), 1)
			before.since = store.LastSeen(event)
			continue
		}
		f := &foldedEvent{event, store.LastSeen(event), store.LastSeen(event), max(int(event.Count), 1)}
		last[about] = f
		all = append(all, f)
	}
	return all
}

func eventsAbout(namespace, name string) string {
	return "/ui/events?about=" + url.QueryEscape(namespace+"/"+name)
}

// short is an Event on the page of what it is about.
func (f *foldedEvent) short() item {
	return e("tr", e("td.nowrap.mono", f.time()), e("td", e("b", text(f.Reason)), f.count(), text(" "+f.Message)))
}

func (f *foldedEvent) time() item {
	return e("time", at("datetime", stamp(f.at)), at("title", f.at.Local().Format(time.DateTime)), text(f.at.Local().Format(time.TimeOnly)))
}

func (f *foldedEvent) count() item {
	if f.times < 2 {
		return nil
	}
	return e("span.muted", at("title", "since "+f.since.Local().Format(time.DateTime)), text(" ×"+strconv.Itoa(f.times)))
}

// eventsPage is /ui/events?q&type&about.
func (s *Server) eventsPage(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	q, kind, about := query.Get("q"), query.Get("type"), query.Get("about")
	events := sorted[*corev1.Event](s)
	folded := foldEvents(events, func(e *corev1.Event) bool {
		said := strings.ToLower(e.Reason + "\n" + e.Message + "\n" + e.InvolvedObject.Name + "\n" + e.InvolvedObject.Kind)
		return (about == "" || e.InvolvedObject.Namespace+"/"+e.InvolvedObject.Name == about) && (kind == "" || strings.EqualFold(e.Type, kind)) && strings.Contains(said, strings.ToLower(q))
	})
	var rows list
	for _, event := range folded[:min(len(folded), maxEvents)] {
		rows = append(rows, event.row())
	}
	main := list{e("h1.sr", text("Events")), eventTools(q, kind, about)}
	switch {
	case len(events) == 0:
		main = append(main, e("div.card.empty", at("id", "event-list"), e("h2", text("No Events")), e("p", text(s.noEvents()))))
	case len(rows) == 0:
		main = append(main, e("div.card.empty", at("id", "event-list"), e("h2", text("Nothing matches")), e("p", text(plural(len(events), "Event")+" hidden.")), e("p", e("a.btn", at("href", "/ui/events"), text("Show all")))))
	default:
		main = append(main, e("section.card.pane", at("id", "event-list"), at("aria-label", "Events"), e("div.scroll", at("tabindex", "0"), at("role", "region"), at("aria-label", "List of Events"), e("table.plain.events",
			e("thead", e("tr", e("th", text("Last seen")), e("th", text("Type")), e("th", text("About")), e("th", text("What")))), e("tbody", rows))),
			when(len(folded) > maxEvents, e("p.small.muted", text(plural(len(folded)-maxEvents, "older line")+" not shown: filter them.")))))
	}
	s.page(w, r, page{Tab: eventsTab, Title: "Events", Main: main, Scripts: []string{"events.js"}})
}

// noEvents says why there are none.
func (s *Server) noEvents() string {
	if s.isCluster() {
		return s.noneOf("events", "Event") + " A cluster keeps them for an hour."
	}
	return "Events tell what happened to Pods and Services. None has happened yet."
}

func (f *foldedEvent) row() item {
	mark := "muted"
	if f.Type == corev1.EventTypeWarning {
		mark = "warn"
	}
	name := f.InvolvedObject.Name
	about := e("span", text(strings.ToLower(f.InvolvedObject.Kind)+"/"+name))
	if f.InvolvedObject.Kind == "Pod" {
		about = e("a", at("href", podPath(f.InvolvedObject.Namespace, name)), text("pod/"+name))
	}
	return e("tr", e("td.nowrap.mono", f.time()), e("td.nowrap."+mark, text(f.Type)), e("td", about), e("td", e("b", text(f.Reason)), f.count(), text(" "+f.Message)))
}

func eventTools(q, kind, about string) item {
	address := func(kind string) string {
		values := url.Values{}
		for name, value := range map[string]string{"q": q, "type": kind, "about": about} {
			if value != "" {
				values.Set(name, value)
			}
		}
		return strings.TrimSuffix("/ui/events?"+values.Encode(), "?")
	}
	return e("form.tools", at("role", "search"), at("action", "/ui/events"), at("method", "get"),
		e("label.sr", at("for", "q"), text("Filter Events")),
		e("input", at("id", "q"), at("type", "search"), at("name", "q"), at("value", q), at("placeholder", "Filter by reason, object or message"), at("size", "34"), at("autocomplete", "off")),
		when(kind != "", e("input", at("type", "hidden"), at("name", "type"), at("value", kind))),
		when(about != "", e("input", at("type", "hidden"), at("name", "about"), at("value", about))),
		e("div.seg", at("role", "group"), at("aria-label", "Type"),
			e("a", at("href", address("")), when(kind == "", at("aria-current", "true")), text("All")),
			e("a", at("href", address("Warning")), when(kind != "", at("aria-current", "true")), text("Warnings"))),
		when(about != "", e("a.btn", at("href", "/ui/events"), at("title", "Show those about all objects"), text("about "+about+" ×"))))
}
