package advisor

import "strings"

// A Rule is one pitfall: its documentation, and how to find it. The rules of the kubelet are
// [KubeletRule]s.
type Rule struct {
	// ID names the rule in findings, suppressions and on the command line. It never changes.
	ID string
	// Severity is that of most of its findings; a finding may set another one, and its message
	// tells why.
	Severity Severity
	Doc      Doc
	// Covers are the ids of rules whose findings only repeat what a finding of this rule says in
	// the same container (in the same workload, if either has no container). They are left out.
	Covers []string
	// Fragments means that the rule also applies to a piece of a manifest, see
	// [Workload.IsFragment].
	Fragments bool
	// Check returns the findings in one workload. It changes nothing, and several may run at the
	// same time. It is nil for a rule whose findings the function [Check] makes.
	Check func(*Workload) []Finding
}

// Doc is the documentation of a rule, of which the reference page and probity explain are made. Its
// texts are plain, each paragraph on one line.
type Doc struct {
	// Title is one sentence: what is wrong.
	Title string
	// Consequence is what happens, and when.
	Consequence string
	// Remedy is what to do about it.
	Remedy string
	// Before and After are the smallest pieces of YAML with the pitfall and without it.
	Before, After string
	// KubeletRules are the numbers of the kubelet's rules behind it, "R12" for example.
	KubeletRules []string
	// SeeAlso are formulas (A, W_kill) and pages elsewhere.
	SeeAlso []string
}

// Prose makes one line of a text that fills several lines in the source.
func Prose(text string) string { return strings.Join(strings.Fields(text), " ") }
