package render

import (
	"fmt"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// otherKind is why an object is passed over that is none of the kinds that are judged.
const otherKind = "of another kind"

// PassedOver lists what was not judged, each with the reason.
func PassedOver(r *advisor.Report) []manifest.PassedOver {
	list := append([]manifest.PassedOver{}, r.PassedOver...)
	for _, u := range r.OtherKinds {
		list = append(list, manifest.PassedOver{Position: u.Position, Reason: otherKind + ": " + strings.TrimSpace(u.APIVersion+" "+u.Kind)})
	}
	return list
}

// PassedOverLines is PassedOver for people, one line each.
func PassedOverLines(r *advisor.Report) string {
	var b strings.Builder
	for _, p := range PassedOver(r) {
		fmt.Fprintf(&b, "passed over: %s: %s\n", p.Position, printable.Line(p.Reason))
	}
	return b.String()
}

// countPassedOver ends the summary: how much was passed over, and why.
func countPassedOver(r *advisor.Report) string {
	var reasons []string
	count := map[string]int{}
	all := PassedOver(r)
	for _, p := range all {
		reason, _, _ := strings.Cut(p.Reason, ":")
		if count[reason] == 0 {
			reasons = append(reasons, reason)
		}
		count[reason]++
	}
	if len(all) == 0 {
		return ""
	}
	for i, reason := range reasons {
		reasons[i] = fmt.Sprintf("%d %s", count[reason], reason)
	}
	return fmt.Sprintf(", %d passed over (%s)", len(all), strings.Join(reasons, ", "))
}
