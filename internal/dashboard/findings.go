package dashboard

import (
	"cmp"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules"
)

// checkedTime is for how long what was found in the files is taken for what is there: pages come
// again each second.
const checkedTime = 3 * time.Second

// checked is what probity check says of the files, as they were a moment ago.
type checked struct {
	mu    sync.Mutex // guards what follows
	at    time.Time
	found []advisor.Finding
}

// findings are those of the files about a workload, without those that are accepted.
func (s *Server) findings(w workloadRef) []advisor.Finding {
	return slices.DeleteFunc(s.check(), func(f advisor.Finding) bool {
		return f.Object.Kind != w.Kind || f.Object.Name != w.Name || cmp.Or(f.Object.Namespace, "default") != w.Namespace
	})
}

// check is what is found in the files; the caller may change the list.
func (s *Server) check() []advisor.Finding {
	paths := slices.DeleteFunc(slices.Clone(s.opts.Files), func(name string) bool { return name == advisor.StdinName })
	if len(paths) == 0 {
		return nil
	}
	c := &s.checked
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := s.opts.Now(); c.at.IsZero() || now.Sub(c.at) >= checkedTime {
		m, _ := advisor.Read(strings.NewReader(""), nil, paths...) // what cannot be read has its own message
		c.found = slices.DeleteFunc(advisor.Check(m, rules.All()), func(f advisor.Finding) bool { return f.Suppressed != "" })
		c.at = now
	}
	return slices.Clone(c.found)
}

// findingCounts is how many findings a workload has of each severity, the worst first, as a link to
// its health checks, where they stand with their reasons.
func (s *Server) findingCounts(w workloadRef) item {
	counts := map[advisor.Severity]int{}
	for _, f := range s.findings(w) {
		counts[f.Severity]++
	}
	var chips list
	for _, severity := range advisor.Severities() {
		if n := counts[severity]; n > 0 {
			chips = append(chips, e("span.chip."+severityClass(severity), text(strconv.Itoa(n)+" "+severity.String())))
		}
	}
	if len(chips) == 0 {
		return nil
	}
	return e("a.findings.small", at("href", healthPath(w.Kind, w.Namespace, w.Name)+"#findings"), chips, e("span.sr", text(" findings about "+w.Name)))
}

func severityClass(severity advisor.Severity) string {
	switch severity {
	case advisor.Outage:
		return "bad"
	case advisor.Risk:
		return "warn"
	}
	return "idle"
}

// findingsCard is what probity check says of the Pod's workload, by the files as they are now.
func (s *Server) findingsCard(p *podView) item {
	w := p.Workload
	if w.Kind == "" {
		w = workloadRef{"Pod", p.Namespace, p.Name}
	}
	findings := s.findings(w)
	var rows list
	for _, f := range findings {
		rows = append(rows, e("div.finding", severityMark(f.Severity), e("p.small", e("b", text(f.Rule)), text(" "+f.Message), text(" "), place(f))))
	}
	if len(rows) == 0 {
		return nil
	}
	return e("section.card.pane", at("id", "findings"), e("h2", text("Findings"), e("span.chip.warn", text(strconv.Itoa(len(findings))))), rows)
}

func severityMark(severity advisor.Severity) item {
	if severity == advisor.Outage {
		return shapeFailed()
	}
	return shapeWarning()
}

func place(f advisor.Finding) item {
	line := ":" + strconv.Itoa(f.Region.Line)
	return e("span.muted", at("title", f.Region.File+line), text(filepath.Base(f.Region.File)+line))
}
