package node

import (
	"log/slog"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/probe"
)

// reportPause is the shortest time between two writes of a Pod's report: people read it, and
// attempts are many.
const reportPause = time.Second

// reportWriter keeps a Pod's [ProbeReport] and writes it to the store, not more often than every
// reportPause.
type reportWriter struct {
	store   *store.Store
	pod     *corev1.Pod
	log     *slog.Logger
	report  ProbeReport
	written time.Time // the last time
	due     time.Time // when to write again; zero if the store's report is up to date
}

// put replaces the record of one probe. The report is written at once, or when the pause since the
// last write is over: see due.
func (w *reportWriter) put(record ProbeRecord, now time.Time) {
	i := slices.IndexFunc(w.report.Probes, func(p ProbeRecord) bool { return p.Container == record.Container && p.Type == record.Type })
	if i < 0 {
		w.report.Probes = append(w.report.Probes, record)
	} else {
		w.report.Probes[i] = record
	}
	if w.due.IsZero() {
		w.due = w.written.Add(reportPause)
	}
	w.writeIfDue(now)
}

// forget drops the records of a container whose instance ended: they say nothing about the next.
func (w *reportWriter) forget(container string, now time.Time) {
	before := len(w.report.Probes)
	w.report.Probes = slices.DeleteFunc(w.report.Probes, func(p ProbeRecord) bool { return p.Container == container })
	if len(w.report.Probes) < before {
		w.due = now // at once: nobody shall look at them any more
		w.writeIfDue(now)
	}
}

func (w *reportWriter) writeIfDue(now time.Time) {
	if w.due.IsZero() || w.due.After(now) {
		return
	}
	w.due, w.written = time.Time{}, now
	if err := w.write(); err != nil {
		w.log.Error("Cannot write the probe report", "error", err)
	}
}

func (w *reportWriter) write() error {
	_, err := store.Modify(w.store, w.pod.Namespace, w.pod.Name, func(report *ProbeReport) error {
		report.Probes = slices.Clone(w.report.Probes)
		return nil
	})
	if !apierrors.IsNotFound(err) {
		return err
	}
	w.report.ObjectMeta = metav1.ObjectMeta{Namespace: w.pod.Namespace, Name: w.pod.Name, OwnerReferences: []metav1.OwnerReference{{
		APIVersion: "v1", Kind: "Pod", Name: w.pod.Name, UID: w.pod.UID, Controller: new(true),
	}}}
	if _, err = store.Create(w.store, &w.report); apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil // the report of a Pod that goes with its Namespace is gone already
	}
	return err
}

// newRecord is the report's record of an attempt. state is that of the probe after it.
func newRecord(result probe.Result, began time.Time, took time.Duration, state lifecycle.ProbeState) ProbeRecord {
	record := ProbeRecord{
		Container: state.Container, Type: state.Type, Outcome: result.Outcome.String(), Output: result.Output,
		Latency: took, Time: metav1.NewMicroTime(began),
		Result: state.Result, Run: state.Run, Threshold: state.Threshold, Hold: state.Hold,
	}
	if result.Err != nil {
		record.Outcome, record.Output = "error", result.Err.Error()
	}
	return record
}
