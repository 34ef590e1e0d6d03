package dashboard

import (
	"cmp"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/origin"
)

// tab is one of the pages that the head of each page names.
type tab string

// The tabs.
const (
	servicesTab tab = "Services"
	podsTab     tab = "Pods"
	logsTab     tab = "Logs"
	eventsTab   tab = "Events"
	healthTab   tab = "Health checks"
	simulateTab tab = "Simulate"
	drillsTab   tab = "Drills"
)

// tabs are all of them, with their addresses and the keys that lead there after g. That of drills
// is left out where nothing is known of them, as of a cluster.
func (s *Server) tabs() []tabLink {
	all := []tabLink{
		{servicesTab, "/ui/services", "s"}, {podsTab, "/ui/pods", "p"}, {logsTab, "/ui/logs", "l"}, {eventsTab, "/ui/events", "e"},
		{healthTab, "/ui/health", "h"}, {simulateTab, "/ui/simulate", "i"},
	}
	if s.opts.Drills != nil {
		all = append(all, tabLink{drillsTab, drillsPath, "d"})
	}
	return all
}

type tabLink struct {
	tab     tab
	address string
	key     string
}

// page is what a page has in its frame.
type page struct {
	// Tab is the one that is marked as the current one.
	Tab tab
	// Title is what the browser's tab is called; the page's own h1 is part of Main.
	Title string
	// Main is the content.
	Main item
	// Scripts are modules of static/ besides app.js.
	Scripts []string
}

// page answers with a whole page. A request with the parameter part gets Main alone, without the
// frame: scripts put it into a page that is there.
func (s *Server) page(w http.ResponseWriter, r *http.Request, p page) {
	s.pageAs(w, r, http.StatusOK, p)
}

func (s *Server) pageAs(w http.ResponseWriter, r *http.Request, status int, p page) {
	writeZipped(w, r, status, markup.Page(e("html", at("lang", "en"), s.head(p), e("body",
		e("a.skip", at("href", "#main"), text("Skip to the content")),
		s.top(p),
		e("div.banners", at("id", "banners"), at("role", "status"), at("aria-live", "polite")),
		s.source(),
		e("main", at("id", "main"), at("tabindex", "-1"), p.Main),
		s.keyboardHelp(), finder(),
		e("div.sr", at("id", "said"), at("role", "status"), at("aria-live", "polite")),
	))))
}

func (s *Server) head(p page) item {
	scripts := list{}
	for _, name := range append([]string{"app.js"}, p.Scripts...) {
		scripts = append(scripts, e("script", at("type", "module"), at("src", s.files().address(name))))
	}
	return e("head",
		e("meta", at("charset", "utf-8")),
		e("meta", at("name", "viewport"), at("content", "width=device-width, initial-scale=1")),
		e("meta", at("name", "color-scheme"), at("content", "light dark")),
		e("title", text(p.Title+" · Probity")),
		e("link", at("rel", "icon"), at("href", s.files().address("icon.svg"))),
		e("link", at("rel", "stylesheet"), at("href", s.files().address("app.css"))),
		scripts,
	)
}

// top is the head of every page: the name of the run, the pages, and whether the page is live.
func (s *Server) top(p page) item {
	now := s.opts.Now()
	links := list{}
	for _, t := range s.tabs() {
		links = append(links, e("a", at("href", t.address), when(t.tab == p.Tab, at("aria-current", "page")), at("data-go", t.key),
			at("title", "g "+t.key), text(t.tab), s.tabCount(t.tab)))
	}
	return e("header.top",
		e("div.bar",
			e("a.brand", at("href", "/ui/pods"), brand(), text("Probity")),
			e("span.run.small.cut", at("title", s.opts.Title), text(s.opts.Title), e("span.hide-s",
				text(" · "+s.begun()+" "), e("time", at("datetime", stamp(s.started)), at("data-age", ""), text(diagnosis.Age(now.Sub(s.started)))), text(" ago"))),
			e("div.right",
				e("span.live.small", at("id", "live"), svg("8", e("circle.f-idle", at("cx", "4"), at("cy", "4"), at("r", "4"))), e("span", text("Not live"))),
				e("button.btn.quiet", at("type", "button"), at("id", "find"), at("hidden", ""), e("span.hide-s", text("Find ")), e("span.sr", text("a Pod or page")), e("kbd", text("/"))),
				e("button.btn.quiet", at("type", "button"), at("id", "keys"), at("hidden", ""), e("span.sr", text("Keyboard shortcuts")), e("kbd", text("?"))),
			),
		),
		e("nav.tabs", at("aria-label", "Pages"), links),
	)
}

// begun is what the server has done since it was made.
func (s *Server) begun() string {
	if s.isCluster() {
		return "watched since"
	}
	return "started"
}

// tabCount is the figure behind the name of a tab.
func (s *Server) tabCount(t tab) item {
	n := 0
	switch t {
	case podsTab:
		n = count[*corev1.Pod](s)
	case eventsTab:
		n = count[*corev1.Event](s)
	default:
		return nil
	}
	return e("span.count", at("data-count", strings.ToLower(string(t))), text(strconv.Itoa(n)))
}

// bare is a page without what only a run can tell.
func bare(title string, main item) item {
	return e("html", at("lang", "en"),
		e("head", e("meta", at("charset", "utf-8")), e("meta", at("name", "viewport"), at("content", "width=device-width, initial-scale=1")),
			e("meta", at("name", "color-scheme"), at("content", "light dark")), e("title", text(title+" · Probity"))),
		e("body", e("main", e("h1", text(title)), main)))
}

func brand() item {
	return e("svg", at("width", "20"), at("height", "20"), at("viewBox", "0 0 20 20"), at("aria-hidden", "true"),
		e("rect.brand-ground", at("x", "1"), at("y", "1"), at("width", "18"), at("height", "18"), at("rx", "5")),
		e("path.brand-line", at("d", "M4 10.5h3l1.7-4 2.6 8 1.7-4h3")))
}

// svg is a small picture of that size, which is only decoration.
func svg(size string, items ...item) item {
	return e("svg", append([]item{at("width", size), at("height", size), at("viewBox", "0 0 "+size+" "+size), at("aria-hidden", "true")}, items...)...)
}

// keyboardHelp is the list of keys, which ? opens.
func (s *Server) keyboardHelp() item {
	rows := list{}
	for _, row := range s.keys() {
		var names []item
		for key := range strings.SplitSeq(row[0], ", ") {
			names = append(names, e("kbd", text(key)))
		}
		rows = append(rows, e("dt", markup.Join(text(" "), names...)), e("dd", text(row[1])))
	}
	return e("dialog.help", at("id", "help"), at("aria-labelledby", "help-title"),
		e("form", at("method", "dialog"),
			e("h2", at("id", "help-title"), text("Keys")),
			e("dl.kv", rows),
			e("p.small", e("label.check", e("input", at("type", "checkbox"), at("id", "letters"), at("checked", "")), text(" Single letters do something"))),
			e("button.btn", text("Close"))))
}

// keys are what the keyboard does, for people. static/keys.js does it.
func (s *Server) keys() [][2]string {
	var all []string
	for _, t := range s.tabs() {
		all = append(all, "g "+t.key)
	}
	return [][2]string{
		{"?", "this list"},
		{"/", "find: filters what is shown, or goes to a Pod, workload, Service or page"},
		{strings.Join(all, ", "), "pages, in the order of the tabs"},
		{"j, k", "next and previous Pod"},
		{"Enter", "open it"},
		{"l", "its log"},
		{"r", "restart its containers (asks first)"},
		{"o", "take it out of rotation, or back"},
		{"p", "pause the page, or go on"},
		{"1, 2, 3, 4", "how much time is shown"},
		{"[, ]", "earlier and later"},
		{"f, w, t, b", "in a log: follow, wrap, time, requests of probes"},
		{"n, N", "in a log: next and previous match"},
		{"Home, End", "in a log: the first line that is loaded, and the last one"},
		{"Esc", "closes, then clears the filter, then goes back"},
	}
}

// origin is how browsers name this server.
func (s *Server) origin() origin.Server { return origin.Server{Scheme: "http", Port: s.opts.Port} }

// writeZipped answers with a page, compressed if the browser takes it.
func writeZipped(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		writePage(w, status, body)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	z := gzip.NewWriter(w)
	_, _ = z.Write(body) // who has left does not get it
	_ = z.Close()
}

func writePage(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who has left does not get it
}

// notFound answers that something is not there, and what to do.
func (s *Server) notFound(w http.ResponseWriter, r *http.Request, what string) {
	s.pageAs(w, r, http.StatusNotFound, page{Title: "Not found", Main: list{
		e("h1", text("Not found")),
		e("div.card.empty", e("p", text(cmp.Or(what, "There is no such page."))), e("p", e("a", at("href", "/ui/pods"), text("All Pods")))),
	}})
}

// stamp is an instant for scripts.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
