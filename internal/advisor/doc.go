// Package advisor judges the probes of manifests: it finds the pitfalls before anything runs.
//
// A [World] is what some files say together: workloads, the Services that select their pods, the
// autoscalers that scale them. A [Rule] looks at one workload of it and returns findings; the rules
// stand in folders of their own below rules/, with their documentation as data and their fixtures.
// [Check] runs them, leaves out what follows from another finding, and applies suppressions; a
// [Baseline] takes away what is known.
//
// All judgements are made on effective values, with Kubernetes' defaults filled in, and on what
// follows from them ([Timing]): a rule never asks whether a field is there if what it means is a
// number. A rule that cannot know stays silent.
package advisor
