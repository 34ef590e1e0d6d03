package screen

import (
	"strings"
	"time"

	"github.com/probity-run/probity/internal/diagnosis"
)

// columns are the widths of the list's columns in a window; 0 for one that there is no room for.
type columns struct {
	name, check, strip, took, restarts, age, port int
	two                                           bool // a strip for readiness and one for liveness
}

const (
	stateWidth = 13 // selection, mark, word, and a space
	gap        = 2
)

// columnsFor gives room to columns in this order: check, strip, age, restarts, took, and in wide
// windows a second strip and the port; then both strips grow. The name keeps what tells Pods apart.
func columnsFor(width, longest int) columns {
	left := width - stateWidth
	var c columns
	take := func(to *int, columns, keep int) {
		if left-columns-gap >= keep {
			*to = columns
			left -= columns + gap
		}
	}
	take(&c.check, 7, 14)
	take(&c.strip, 20, 14)
	take(&c.age, 5, 14)
	take(&c.restarts, 2, 20)
	take(&c.took, 6, 24)
	if width >= 115 {
		second := 0
		if take(&second, 20, 20); second > 0 {
			c.two = true
		}
		take(&c.port, 6, 20)
		for _, wide := range []int{30, 60} {
			if grow := 2 * (wide - c.strip); c.two && left-grow >= min(longest, 26) {
				left -= grow
				c.strip = wide
			}
		}
	}
	c.name = min(left, max(longest, 4))
	return c
}

func (f *frame) columns(list []*Pod) columns {
	longest := 0
	for _, p := range list {
		longest = max(longest, widthOf(p.Name))
	}
	return columnsFor(f.width, longest)
}

// heads is the line above the list.
func (f *frame) heads(c columns) line {
	var l line
	l.add(Muted, "  ").cell(Muted, "STATE", stateWidth-2).cell(Muted, "POD", c.name)
	strip := func(title string) {
		l.add(Muted, "  ").cell(Muted, title, c.strip-3).add(Muted, "now")
	}
	switch {
	case c.two && c.strip >= 30:
		strip("READINESS, 5 MIN")
		strip("LIVENESS")
	case c.two:
		strip("READINESS")
		strip("LIVENESS")
	case c.strip > 0:
		strip("LAST 5 MIN")
	}
	if c.check > 0 {
		l.add(Muted, "  ").cell(Muted, "CHECK", c.check)
	}
	number := func(title string, width int) {
		if width > 0 {
			l.add(Muted, "  ").number(Muted, title, width)
		}
	}
	number("TOOK", c.took)
	number("↻", c.restarts)
	number("AGE", c.age)
	if c.port > 0 {
		l.add(Muted, "  PORT")
	}
	return l
}

// rows are the lines of the list, and to which Pod each belongs.
type rows struct {
	lines []line
	pods  []int // by line: index in the list, -1 for a headline
	at    int   // the selected Pod
}

// list makes the lines of the list. Rows of Pods that are far from the selected one are not built:
// nobody sees them.
func (f *frame) list(list []*Pod, at int, c columns) *rows {
	r := &rows{at: at}
	workload := ""
	for i, p := range list {
		first := f.v.first(f.State, p)
		if !first && p.Workload != workload && !f.small() {
			workload = p.Workload
			if l, ok := f.headline(workload); ok {
				r.add(l, -1)
			}
		}
		if i < at-f.height || i > at+f.height {
			r.add(line{}, i)
		} else {
			r.add(f.row(p, i == at, c), i)
		}
		if f.small() || p.Diagnosis.Reason == "" || i < at-f.height || i > at+f.height {
			continue
		}
		if i+1 < len(list) && sameReason(p, list[i+1]) && f.v.first(f.State, list[i+1]) == first {
			continue // it is said once, below the last of them
		}
		r.add(f.reason(list, i), i)
	}
	return r
}

func (r *rows) add(l line, pod int) {
	r.lines = append(r.lines, l)
	r.pods = append(r.pods, pod)
}

// sameReason reports whether what there is to say of two Pods is the same.
func sameReason(a, b *Pod) bool {
	return a.Workload == b.Workload && a.Diagnosis.State == b.Diagnosis.State && a.Diagnosis.Cause == b.Diagnosis.Cause
}

// hidden is how many Pods are above and below of what is shown.
type hidden struct{ above, below int }

// window keeps the lines around the selected Pod, as many as there is room for: the list moves only
// if the selected Pod would be outside.
func (r *rows) window(room int) hidden {
	room = max(room, 0)
	if len(r.lines) <= room {
		return hidden{}
	}
	last := 0
	for i, pod := range r.pods {
		if pod == r.at {
			last = i // its reason included
		}
	}
	from := min(max(last-room+1, 0), len(r.lines)-room)
	if first := r.firstLine(); first < from { // more lines of one Pod than room
		from = first
	}
	var h hidden
	seen := map[int]bool{}
	for i, pod := range r.pods {
		if pod < 0 || seen[pod] {
			continue
		}
		seen[pod] = true
		if i < from {
			h.above++
		} else if i >= from+room {
			h.below++
		}
	}
	r.lines, r.pods = r.lines[from:from+room], r.pods[from:from+room]
	return h
}

func (r *rows) firstLine() int {
	for i, pod := range r.pods {
		if pod == r.at {
			return i
		}
	}
	return 0
}

// headline is the line above the replicas of a workload; false if that is gone, or is none.
func (f *frame) headline(id string) (line, bool) {
	for _, w := range f.Workloads {
		if w.ID != id {
			continue
		}
		var l line
		l.add(Normal, "  ").bold(Normal, middle(w.Name, f.width/2)).add(Muted, "  "+w.Kind+"  "+itoa(w.Ready)+"/"+itoa(w.Desired)+" ready")
		if w.Rollout != "" {
			l.add(Wait, cut("  "+w.Rollout, f.width-l.width))
		}
		return l, true
	}
	return line{}, false
}

// reason is the line below the last of the Pods that have the same.
func (f *frame) reason(list []*Pod, i int) line {
	p := list[i]
	n := 1
	for j := i - 1; j >= 0 && sameReason(p, list[j]); j-- {
		n++
	}
	text := "   "
	if n > 1 {
		text += itoa(n) + " Pods: "
	}
	role := Muted
	if p.Diagnosis.Attention {
		role = Bad
	}
	return plain(role, cut(text+p.Diagnosis.Reason, f.width))
}

// stateMark is the sign of a state, and its role.
func stateMark(s diagnosis.State) (string, Role) {
	switch s {
	case diagnosis.Ready:
		return "●", Ok
	case diagnosis.NotReady:
		return "◐", Bad
	case diagnosis.Starting:
		return "◌", Wait
	case diagnosis.BackOff:
		return "◷", Bad
	case diagnosis.Failed:
		return "✖", Bad
	case diagnosis.Stopping:
		return "▼", Stop
	case diagnosis.Out:
		return "⊖", Warn
	}
	return "✓", Muted
}

// cachedRow is the row of a Pod as it was built last.
type cachedRow struct {
	version uint64
	columns columns
	at      time.Time // in seconds: ages and strips
	line    line
}

// row is the line of a Pod. It is built anew when the Pod, the columns or the second have changed.
func (f *frame) row(p *Pod, selected bool, c columns) line {
	now := f.Now.Truncate(time.Second)
	cached, ok := f.v.rows[p.ID]
	if !ok || cached.version != p.Version || p.Version == 0 || cached.columns != c || !cached.at.Equal(now) {
		if f.v.rows == nil || len(f.v.rows) > 4*len(f.Pods)+16 { // of Pods that are gone
			f.v.rows = map[string]cachedRow{}
		}
		cached = cachedRow{p.Version, c, now, f.buildRow(p, c)}
		f.v.rows[p.ID] = cached
	}
	l := cached.line
	if selected {
		l.selected = true
		l.spans = append([]Span{{Text: "▌", Role: Accent}}, l.spans[1:]...)
		for i, s := range l.spans {
			if s.Text != "" && i == nameSpan {
				l.spans[i].Bold = true
			}
		}
	}
	return l
}

// nameSpan is where the name stands among the spans of a row.
const nameSpan = 2

// rowSpans is how many spans a row has, as a rule.
const rowSpans = 24

func (f *frame) buildRow(p *Pod, c columns) line {
	mark, role := stateMark(p.Diagnosis.State)
	l := line{spans: make([]Span, 0, rowSpans)}
	l.add(Normal, " ").add(role, mark+" "+pad(string(p.Diagnosis.State), stateWidth-3)).cell(Normal, middle(p.Name, c.name), c.name)
	switch {
	case c.two:
		l.add(Normal, "  ").span(p.Readiness.spans(f.Now, c.strip)...)
		l.add(Normal, "  ").span(p.Liveness.spans(f.Now, c.strip)...)
	case c.strip > 0:
		both := p.Readiness
		both.Merge(&p.Liveness)
		l.add(Normal, "  ").span(both.spans(f.Now, c.strip)...)
	}
	if c.check > 0 {
		l.add(Normal, "  ").cell(checkRole(p), p.Diagnosis.Check, c.check)
	}
	number := func(role Role, text string, width int) {
		if width > 0 {
			l.add(Normal, "  ").number(role, text, width)
		}
	}
	number(Normal, p.Took, c.took)
	restarts := ""
	if p.Restarts > 0 {
		restarts = itoa(p.Restarts)
	}
	number(Warn, restarts, c.restarts)
	number(Muted, diagnosis.Age(f.Now.Sub(p.Since)), c.age)
	if c.port > 0 {
		l.add(Normal, "  ").cell(Muted, p.Port, c.port)
	}
	return l
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(width-widthOf(text), 0))
}

func checkRole(p *Pod) Role {
	if p.Diagnosis.Attention {
		return Bad
	}
	if p.Diagnosis.State == diagnosis.Ready {
		return Muted
	}
	_, role := stateMark(p.Diagnosis.State)
	return role
}
