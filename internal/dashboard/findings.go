package dashboard

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/dashboard/form"
)

// checkedTime is for how long what was found in the files is taken for what is there: pages come
// again each second. After it they are read again if they have changed, and after checkedLongest in
// any case: a kustomization above them may have.
const (
	checkedTime    = 3 * time.Second
	checkedLongest = time.Minute
)

// checked is what probity check says of the files, as they were a moment ago.
type checked struct {
	// working is held by the one who reads the files, which may take long; others get what was
	// found before.
	working sync.Mutex

	mu     sync.Mutex // guards what follows
	looked time.Time  // when the files were looked at last
	read   time.Time  // when they were read last
	files  []fileState
	found  []advisor.Finding
}

// fileState tells whether a file has changed.
type fileState struct {
	name     string
	size     int64
	modified time.Time
}

// statesOf leaves out what is no regular file: reading a named pipe would block, or take what
// another one is to read.
func statesOf(files []string) (states []fileState) {
	for _, name := range files {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			states = append(states, fileState{name, info.Size(), info.ModTime()})
		}
	}
	return states
}

// findings are those of the files about a workload, without those that are accepted.
func (s *Server) findings(w workloadRef) []advisor.Finding {
	return slices.DeleteFunc(s.check(), func(f advisor.Finding) bool {
		return f.Object.Kind != w.Kind || f.Object.Name != w.Name || cmp.Or(f.Object.Namespace, "default") != w.Namespace
	})
}

// check is what is found in the files; the caller may change the list.
func (s *Server) check() []advisor.Finding {
	return s.checked.findings(s.opts.Now(), s.opts.Files, func(files []string) []advisor.Finding {
		m, _ := advisor.Read(strings.NewReader(""), nil, files...) // what cannot be read has its own message
		return slices.DeleteFunc(advisor.Check(m, rules.All()), func(f advisor.Finding) bool { return f.Suppressed != "" })
	})
}

// findings is what check finds in the files, or what it has found. The caller may change the list.
func (c *checked) findings(now time.Time, files []string, check func(files []string) []advisor.Finding) []advisor.Finding {
	c.lookAgain(now, files, check)
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.found)
}

// lookAgain checks the files if it is time for it and they have changed, unless somebody does.
func (c *checked) lookAgain(now time.Time, files []string, check func(files []string) []advisor.Finding) {
	if !c.working.TryLock() {
		return
	}
	defer c.working.Unlock()
	c.mu.Lock()
	isDue, isOld, known := c.looked.IsZero() || now.Sub(c.looked) >= checkedTime, now.Sub(c.read) >= checkedLongest, c.files
	c.mu.Unlock()
	if !isDue {
		return
	}
	states := statesOf(files) // before they are read: a change meanwhile is seen the next time
	same := slices.EqualFunc(states, known, func(a, b fileState) bool {
		return a.name == b.name && a.size == b.size && a.modified.Equal(b.modified)
	})
	var found []advisor.Finding
	if isOld || !same {
		var names []string
		for _, state := range states {
			names = append(names, state.name)
		}
		if len(names) > 0 {
			found = check(names)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looked = now
	if isOld || !same {
		c.read, c.files, c.found = now, states, found
	}
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
			chips = append(chips, e("span.chip."+form.SeverityClass(severity), text(strconv.Itoa(n)+" "+severity.String())))
		}
	}
	if len(chips) == 0 {
		return nil
	}
	return e("a.findings.small", at("href", healthPath(w.Kind, w.Namespace, w.Name)+"#findings"), chips, e("span.sr", text(" findings about "+w.Name)))
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
		rows = append(rows, e("div.finding", form.SeverityMark(f.Severity), e("p.small", e("b", text(f.Rule)), text(" "+f.Message), text(" "), s.place(f))))
	}
	if len(rows) == 0 {
		return nil
	}
	return e("section.card.pane", at("id", "findings"), e("h2", text("Findings"), e("span.chip.warn", text(strconv.Itoa(len(findings))))), rows)
}

func (s *Server) place(f advisor.Finding) item {
	line := ":" + strconv.Itoa(f.Region.Line)
	return e("span.muted", at("title", s.fromFolder(f.Region.File)+line), text(filepath.Base(f.Region.File)+line))
}
