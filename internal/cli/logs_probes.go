package cli

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/terminal/lines"
)

// reportLines are lines of what probes have found, as their reports tell it: the last attempt of
// each. The methods of a nil one give nothing.
type reportLines struct {
	pods map[string]*corev1.Pod // namespace/name
	told map[string]time.Time   // the last attempt of each probe that was given or waits
	wait []reportLine
}

type reportLine struct {
	at   time.Time
	text string
}

// newReportLines begins with the reports of a snapshot.
func newReportLines(s *kube.Snapshot, pods []*corev1.Pod) *reportLines {
	l := &reportLines{pods: map[string]*corev1.Pod{}, told: map[string]time.Time{}}
	for _, pod := range pods {
		l.know(pod)
		if report := s.Report(pod); report != nil {
			l.take(report)
		}
	}
	return l
}

// know takes the reports of a Pod from now on.
func (l *reportLines) know(pod *corev1.Pod) {
	if l != nil {
		l.pods[pod.Namespace+"/"+pod.Name] = pod
	}
}

// take takes a report, of which what is new waits to be given.
func (l *reportLines) take(report *node.ProbeReport) {
	name := report.Namespace + "/" + report.Name
	pod := l.pods[name]
	if pod == nil {
		return
	}
	for _, r := range report.Probes {
		key := name + "/" + r.Container + "/" + string(r.Type)
		if !r.Time.After(l.told[key]) {
			continue
		}
		l.told[key] = r.Time.Time
		l.wait = append(l.wait, reportLine{r.Time.Time, attemptOf(pod, &r).String()})
	}
	slices.SortStableFunc(l.wait, func(a, b reportLine) int { return a.at.Compare(b.at) })
}

// until gives the lines of attempts before an instant, each once.
func (l *reportLines) until(at time.Time) (texts []string) {
	if l == nil {
		return nil
	}
	for len(l.wait) > 0 && l.wait[0].at.Before(at) {
		texts = append(texts, l.wait[0].text)
		l.wait = l.wait[1:]
	}
	return texts
}

// attemptOf is what a report knows of an attempt.
func attemptOf(pod *corev1.Pod, r *node.ProbeRecord) lines.ProbeAttempt {
	a := history.Attempt{
		Time: r.Time.Time, Took: r.Latency, Message: r.Output, Run: r.Run, Threshold: r.Threshold, Outcome: history.Answered,
		NotYet: r.Result != lifecycle.ResultSuccess && r.Outcome == "failure" && r.Result == lifecycle.ResultUnknown,
	}
	switch r.Outcome {
	case "warning":
		a.Outcome = history.Warning
	case "failure":
		a.Outcome = history.Failed
	case "error":
		a.Outcome = history.NoVerdict
	}
	return lines.ProbeAttempt{Pod: pod, Key: history.Key{Container: r.Container, Type: string(r.Type)}, Attempt: a}
}

// followReports prints what probes find until the context is done or the run ends. Who reads the
// logs joins it.
func (p *logPrinter) followReports(ctx context.Context, client *kube.Client, namespace string) {
	for change, err := range kube.Watch[node.ProbeReport](ctx, client, kube.ProbeReports, namespace, metav1.ListOptions{}) {
		if err != nil || change.Type == watch.Deleted {
			continue // the reading of the logs says what there is to say
		}
		p.mu.Lock()
		p.probes.take(&change.Object)
		err := p.printAttempts(p.probes.until(time.Now()))
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}
