package deploy

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/rollout"
)

// servedTime is how much later than its Pods a Service may know that they are ready.
const servedTime = 3 * time.Second

// warnUnserved warns of Services that were applied and have nobody behind them although all is up:
// their selector has a mistake, most likely. Those that select Pods of the workloads are told with
// these.
func (f *follower) warnUnserved(ctx context.Context, results []rollout.Result) {
	told := map[string]bool{}
	for _, r := range results {
		if r.Verdict == nil || r.Verdict.Outcome == rollout.Failed {
			return
		}
		for _, s := range r.Services {
			told[r.Object.Namespace+"/"+s.Name] = true
		}
	}
	for until := time.Now().Add(servedTime); ; {
		causes := f.unserved(told)
		if left := time.Until(until); len(causes) > 0 && left > 0 && f.rest(ctx, left) {
			continue
		}
		for _, c := range causes {
			f.deployment.report(Event{Kind: "warning", Text: c.Text + " (" + c.Next + ")"})
		}
		return
	}
}

// unserved are the Services among the entries that nobody is behind, but for those that were told.
func (f *follower) unserved(told map[string]bool) []rollout.Cause {
	services := slices.DeleteFunc(allOf(f.see.services), func(s *corev1.Service) bool {
		return told[s.Namespace+"/"+s.Name] || !slices.ContainsFunc(f.deployment.Entries, func(e *Entry) bool { return e.After != nil && e.After.GetUID() == s.UID })
	})
	return rollout.Unserved(rollout.Facts{Services: services, Slices: allOf(f.see.slices)})
}
