// Package advisor checks the probes of manifests: it finds pitfalls before anything runs.
//
// [Read] returns the [Manifests] of some files: the workloads, the Services that select their pods,
// and what autoscalers and disruption budgets add to them. A [Rule] takes one workload and returns
// findings; each rule has a folder of its own below rules/, with its documentation as data and its
// fixtures. [Check] runs the rules, leaves out a finding that another one covers, and applies
// suppressions; with a [Baseline], known findings do not count.
//
// Rules work with effective values, which have Kubernetes' defaults filled in, and with what
// follows from them ([Numbers]); they ask whether a field is written only where that itself
// matters. If the manifests do not tell enough, a rule finds nothing.
//
// The rules of the kubelet are something else: [KubeletRule].
package advisor
