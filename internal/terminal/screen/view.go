package screen

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Page is what fills the window.
type Page int

// The pages. Pods is the first one.
const (
	Pods Page = iota
	DetailsPage
	LogsPage
	EventsPage
	ServicesPage
	NoticesPage
	HelpPage
)

// View is what a person chose to see. The zero value shows the Pods; it belongs to one goroutine.
type View struct {
	pages    []Page // Pods is below all of them
	offset   int    // of the page, in lines
	selected string // the ID of a Pod
	index    int    // where that was in the list
	moved    bool   // somebody selected it: until then the first one is selected
	service  int    // the selected Service

	byWorkload bool // the order of the list
	filter     string
	typing     bool // of the filter, or of the search in a log
	hidden     map[string]bool
	asks       question
	said       string // what the last key did
	mouse      bool
	secrets    bool
	exchange   bool // what was sent and got is shown in full

	log  logView
	rows map[string]cachedRow
	// clickable are the IDs of the Pods in the lines of the last frame of the list
	clickable []string
	// room is how many lines the last frame had for what moves
	room int
}

// question is an action that waits for a yes.
type question struct {
	key    string // which means yes; "" if nothing is asked
	ask    string // with %s in place of the name
	name   string
	rest   string // which is left out if there is no room
	short  string // in place of all of it if there is no room for that
	action Action
}

// shortName is the fewest columns of a name that a question has beside more words.
const shortName = 12

// text is the question in so many columns.
func (q *question) text(room int) string {
	if q.short != "" && widthOf(q.ask) > room {
		return cut(q.short, room)
	}
	rest, fixed := q.rest, widthOf(strings.Replace(q.ask, "%s", "", 1))
	left := room - fixed - widthOf(rest) - 1
	if rest == "" || left < min(shortName, widthOf(q.name)) {
		rest, left = "", room-fixed
	}
	text := strings.Replace(q.ask, "%s", middle(q.name, max(left, 4)), 1)
	return cut(strings.TrimSpace(text+" "+rest), room)
}

// Wants is what a View needs to know beyond what a [State] always has.
type Wants struct {
	// Output is the Pod whose last lines are shown.
	Output string
	// Details and Log are the Pods whose pages are open; "" for none.
	Details, Log string
	// Previous asks for the log of the instance before, All for that of the Pod's whole workload.
	Previous, All bool
	// Paused says that somebody reads the log at leisure: what is loaded must not go.
	Paused bool
}

// Wants says what is to be loaded.
func (v *View) Wants() Wants {
	w := Wants{Output: v.selected}
	for _, page := range v.pages {
		switch page {
		case DetailsPage:
			w.Details = v.selected
		case LogsPage:
			w.Log, w.Previous, w.All, w.Paused = v.selected, v.log.previous, v.log.all, !v.log.following
		}
	}
	return w
}

// Mouse reports whether clicks are wanted.
func (v *View) Mouse() bool { return v.mouse }

// Typing reports whether keys are letters of a text.
func (v *View) Typing() bool { return v.typing }

// Say shows a text in place of the keys until the next key.
func (v *View) Say(text string) { v.said = text }

func (v *View) page() Page {
	if len(v.pages) == 0 {
		return Pods
	}
	return v.pages[len(v.pages)-1]
}

func (v *View) open(page Page) {
	if v.page() == page {
		return
	}
	v.pages = append(v.pages, page)
	v.offset = 0
	if page == LogsPage {
		v.log = logView{following: true, wrap: true, probes: true}
	}
}

// back leaves a page. It reports false at the first one.
func (v *View) back() bool {
	if len(v.pages) == 0 {
		return false
	}
	v.pages = v.pages[:len(v.pages)-1]
	v.offset = 0
	return true
}

// wellTime is how long a Pod that is well again stays among those that are not.
const wellTime = 10 * time.Second

// first reports whether a Pod stands before those that are well.
func (v *View) first(s *State, p *Pod) bool {
	if v.byWorkload {
		return false
	}
	return p.Diagnosis.Attention || !p.Attended.IsZero() && s.Now.Sub(p.Attended) < wellTime
}

// order lists the Pods as they are shown: failing ones first, then by workload and name.
func (v *View) order(s *State) []*Pod {
	names := map[string]string{}
	for _, w := range s.Workloads {
		names[w.ID] = w.Name
	}
	list := make([]*Pod, 0, len(s.Pods))
	for i := range s.Pods {
		if p := &s.Pods[i]; v.filter == "" || matches(p, v.filter) {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b *Pod) int {
		if aFirst, bFirst := v.first(s, a), v.first(s, b); aFirst != bFirst {
			if aFirst {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(names[a.Workload], names[b.Workload]), cmp.Compare(a.Workload, b.Workload), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// matches looks for a filter in the name, the word and the reason of a Pod.
func matches(p *Pod, filter string) bool {
	filter = strings.ToLower(filter)
	for _, text := range []string{p.Name, string(p.Diagnosis.State), p.Diagnosis.Reason} {
		if strings.Contains(strings.ToLower(text), filter) {
			return true
		}
	}
	return false
}

// selectIn makes sure that a Pod is selected: the one that was, its neighbour if that has gone, the
// first one if nobody has chosen. It returns where it is in the list, -1 if that is empty.
func (v *View) selectIn(list []*Pod) int {
	if len(list) == 0 {
		v.selected = ""
		return -1
	}
	at := slices.IndexFunc(list, func(p *Pod) bool { return p.ID == v.selected })
	switch {
	case len(v.pages) == 0 && !v.moved:
		at = interesting(list)
	case at < 0:
		at = min(max(v.index, 0), len(list)-1)
	}
	v.selected, v.index = list[at].ID, at
	return at
}

// interesting is the Pod to select as long as nobody has chosen one: the first that needs
// attention, else the first that there is something to say of, as one that starts.
func interesting(list []*Pod) int {
	if !list[0].Diagnosis.Attention {
		if at := slices.IndexFunc(list, func(p *Pod) bool { return p.Diagnosis.Reason != "" }); at >= 0 {
			return at
		}
	}
	return 0
}

// pod is the selected Pod, nil if there is none.
func (v *View) pod(s *State) *Pod {
	for i := range s.Pods {
		if s.Pods[i].ID == v.selected {
			return &s.Pods[i]
		}
	}
	return nil
}

func (v *View) notices(s *State) []Notice {
	var shown []Notice
	for _, n := range s.Notices {
		if !v.hidden[n.ID] {
			shown = append(shown, n)
		}
	}
	// what is refused or will bite comes before what is only to be known
	slices.SortStableFunc(shown, func(a, b Notice) int { return cmp.Compare(rank(a.Role), rank(b.Role)) })
	return shown
}

func rank(r Role) int {
	switch r {
	case Bad:
		return 0
	case Warn:
		return 1
	}
	return 2
}

// siblings says how many replicas of a Pod's workload stay without it: "2 of 3 replicas stay".
func siblings(s *State, p *Pod) string {
	for _, w := range s.Workloads {
		if w.ID == p.Workload {
			left := w.Ready
			if p.Diagnosis.State == "Ready" {
				left--
			}
			return itoa(max(left, 0)) + " of " + itoa(w.Desired) + " replicas stay"
		}
	}
	return "it has no other replica"
}
