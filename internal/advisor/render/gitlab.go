package render

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/probity-run/probity/internal/advisor"
)

// The part of Code Climate's form of an issue that GitLab reads.
type (
	gitlabIssue struct {
		Description string         `json:"description"`
		CheckName   string         `json:"check_name"`
		Fingerprint string         `json:"fingerprint"`
		Severity    string         `json:"severity"`
		Location    gitlabLocation `json:"location"`
	}
	gitlabLocation struct {
		Path  string      `json:"path"`
		Lines gitlabLines `json:"lines"`
	}
	gitlabLines struct {
		Begin int `json:"begin"`
		End   int `json:"end"`
	}
)

// GitLab is a report of code quality, which GitLab shows at the lines of a merge request: a list of
// issues. One that moves in its file keeps its fingerprint, so it is not new.
func GitLab(w io.Writer, r *advisor.Report, _ Options) error {
	issues := []gitlabIssue{}
	seen := map[string]int{}
	for _, f := range r.Findings {
		description := sentence(f)
		if f.Patch != nil {
			description += "\n" + fixLines(f)
		}
		// GitLab keeps one issue of a fingerprint, and two findings may have one key
		key := f.Key()
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", key, seen[key]))
		seen[key]++
		issues = append(issues, gitlabIssue{description, f.Rule, hex.EncodeToString(sum[:16]), gitlabSeverity(f.Severity),
			gitlabLocation{f.Region.File, gitlabLines{max(f.Region.Line, 1), max(f.Region.EndLine, 1)}}})
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(issues)
}

func gitlabSeverity(s advisor.Severity) string {
	switch s {
	case advisor.Outage:
		return "critical"
	case advisor.Risk:
		return "major"
	case advisor.Waste:
		return "minor"
	}
	return "info"
}
