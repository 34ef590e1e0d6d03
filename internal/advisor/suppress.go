package advisor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// UnusedSuppression is the id of the rule about annotations that accept what is not there, or give
// no reason.
const UnusedSuppression = "unused-suppression"

// suppression is one annotation probity.run/ignore.RULE.
type suppression struct {
	rule, reason string
	field        string
	subject      *manifest.Object
	used         bool
}

// accepts reports whether the suppression is about this finding. An annotation of a Service or of
// another object beside the workload is only about findings in that object itself.
func (s *suppression) accepts(f Finding) bool {
	return s.rule == f.Rule && (s.subject == f.subject || isBeside(f.subject) && !isBeside(s.subject))
}

// isBeside reports whether the object describes no pods but belongs to some.
func isBeside(o *manifest.Object) bool {
	_, _, _, describesPods := o.Template()
	return !describesPods
}

// suppress marks the findings that annotations of their objects accept, and returns findings about
// annotations that do nothing.
func (m *Manifests) suppress(workload *Workload, found []Finding, rules []Rule) []Finding {
	list := suppressions(workload)
	for i := range found {
		for _, s := range list {
			if s.accepts(found[i]) {
				s.used = true
				if s.reason != "" {
					found[i].Suppressed = s.reason
				}
			}
		}
	}
	var useless []Finding
	for _, s := range list {
		if isBeside(s.subject) {
			continue // it may be about another workload
		}
		f := Finding{Rule: UnusedSuppression, Severity: Style, Object: s.subject.Ref(), Field: s.field, subject: s.subject}
		known := slices.ContainsFunc(rules, func(r Rule) bool { return r.ID == s.rule })
		switch {
		case !known:
			f.Message = fmt.Sprintf("there is no rule %s, so nothing is accepted%s; probity explain lists the rules", printable.Quote(s.rule), didYouMean(s.rule, rules))
		case s.reason == "":
			f.Message = fmt.Sprintf("the annotation gives no reason for accepting %s, so it has no effect: write the reason as its value", s.rule)
		case !s.used:
			f.Message = fmt.Sprintf("%s is accepted (%s) but not found any more: remove the annotation", s.rule, s.reason)
			f.Patch = &Patch{Summary: "remove the annotation", Edits: []Edit{{Path: s.field, Remove: true}}}
		default:
			continue
		}
		useless = append(useless, f)
	}
	return useless
}

// accepted marks the findings about an object without pods that its own annotations accept.
func accepted(found []Finding, o *manifest.Object) []Finding {
	for _, s := range suppressionsIn(o.Resource.GetAnnotations(), "metadata", o) {
		for i := range found {
			if s.accepts(found[i]) && s.reason != "" {
				found[i].Suppressed = s.reason
			}
		}
	}
	return found
}

// suppressions are the annotations of the object and of its pods.
func suppressions(w *Workload) []*suppression {
	list := suppressionsIn(w.Object.Resource.GetAnnotations(), "metadata", &w.Object)
	if w.MetaPath != "metadata" {
		list = append(list, suppressionsIn(w.Meta.Annotations, w.MetaPath, &w.Object)...)
	}
	for _, s := range w.Services {
		list = append(list, suppressionsIn(s.annotations, "metadata", &s.Object)...)
	}
	for _, b := range w.Budgets {
		list = append(list, suppressionsIn(b.Object.Resource.GetAnnotations(), "metadata", &b.Object)...)
	}
	return list
}

func suppressionsIn(annotations map[string]string, path string, subject *manifest.Object) []*suppression {
	var list []*suppression
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		if rule, ok := strings.CutPrefix(key, manifest.AnnotationIgnore); ok {
			list = append(list, &suppression{rule: rule, reason: strings.TrimSpace(annotations[key]), subject: subject, field: path + ".annotations[" + key + "]"})
		}
	}
	return list
}

func didYouMean(id string, rules []Rule) string {
	for _, r := range rules {
		if strings.Contains(r.ID, id) || strings.Contains(id, r.ID) {
			return ", did you mean " + r.ID + "?"
		}
	}
	return ""
}
