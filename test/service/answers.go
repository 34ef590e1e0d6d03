package service

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// answer is one step of a script of answers.
type answer struct {
	what  string
	times int // 0 means for ever
}

func parseAnswers(text string) (map[string][]answer, error) {
	scripts := map[string][]answer{}
	for script := range strings.FieldsSeq(text) {
		path, steps, ok := strings.Cut(script, "=")
		if !ok {
			return nil, fmt.Errorf("cannot read answers %q", script)
		}
		for step := range strings.SplitSeq(steps, ",") {
			what, times, ok := strings.Cut(step, "x")
			if strings.HasPrefix(step, "file:") {
				what, ok = step, false
			}
			a := answer{what: what}
			if ok {
				n, err := strconv.Atoi(times)
				if err != nil {
					return nil, fmt.Errorf("cannot read answer %q: %w", step, err)
				}
				a.times = n
			}
			scripts[path] = append(scripts[path], a)
		}
	}
	return scripts, nil
}

// rewrite replaces the answers of the paths that are in the script which the request carries.
func (s *service) rewrite(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	scripts, err := parseAnswers(string(text))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for path, script := range scripts {
		s.answers[path], s.counts[path] = script, 0
	}
}

// next takes the next step of a path's script.
func (s *service) next(r *http.Request) string {
	step := s.scripted(r)
	switch what, arg, _ := strings.Cut(step, ":"); what {
	case "file":
		data, err := os.ReadFile(arg)
		if err != nil {
			return err.Error()
		}
		return strings.TrimSpace(string(data))
	case "aligned":
		d, err := time.ParseDuration(arg)
		if err != nil {
			return err.Error()
		}
		if time.Now().Before(s.started.Truncate(d).Add(d)) {
			return "503"
		}
		return "200"
	}
	return step
}

func (s *service) scripted(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.counts[r.URL.Path]
	s.counts[r.URL.Path]++
	for _, a := range s.answers[r.URL.Path] {
		if a.times == 0 || n < a.times {
			return a.what
		}
		n -= a.times
	}
	if steps := s.answers[r.URL.Path]; len(steps) > 0 {
		return steps[len(steps)-1].what
	}
	return "200"
}
