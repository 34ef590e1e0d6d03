package advisor

import "strings"

// A Rule is one pitfall: what it means, and how to find it.
type Rule struct {
	// ID names the rule in findings, suppressions and on the command line. It never changes.
	ID string
	// Severity is that of most of its findings; one may say otherwise, with a reason in its
	// message.
	Severity Severity
	Doc      Doc
	// Covers are ids of rules whose findings in the same container, or in the same workload for one
	// without container, only repeat what this rule's finding says. They are left out.
	Covers []string
	// Fragments means that the rule also holds for a piece of a manifest, see
	// [Workload.IsFragment].
	Fragments bool
	// Check returns what it finds in one workload. It changes nothing and may run at the same time
	// as others. It is nil for findings that [Check] itself makes.
	Check func(*Workload) []Finding
}

// Doc is the documentation of a rule: the reference page and probity explain are made of it. Prose
// is plain text, one line a paragraph.
type Doc struct {
	// Title says in one sentence what is wrong.
	Title string
	// Consequence says what happens, and when.
	Consequence string
	// Remedy says what to do about it.
	Remedy string
	// Before and After are the smallest pieces of YAML that have the pitfall and that have not.
	Before, After string
	// KubeletRules are the numbers of the kubelet's rules behind it, "R12" for example.
	KubeletRules []string
	// SeeAlso are formulas (A, W_kill) and pages elsewhere.
	SeeAlso []string
}

// Prose joins the lines of a text that was broken for the sake of the source.
func Prose(text string) string { return strings.Join(strings.Fields(text), " ") }
