package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/evidence"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/survey"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/tune"
	"github.com/probity-run/probity/internal/tune/measure"
)

// read gets the series: from files and a cluster, or by measuring.
func (t *tuneRun) read(ctx context.Context) (err error) {
	if len(t.from) == 0 {
		t.series, err = t.measure(ctx)
		t.measured = true
		return err
	}
	var list []*tune.Series
	for _, from := range t.from {
		s := &tune.Series{}
		if from == fromCluster {
			s, err = t.readCluster(ctx)
		} else {
			s, err = readSeries(from)
		}
		if err != nil {
			return err
		}
		s.WithNamespaces(t.names())
		for i, other := range list {
			if start, ok := tune.SameStart(other, s); ok {
				return fmt.Errorf("cannot use the series %s and %s together: both have the start of %.9g s, so that one measurement would count twice",
					printable.File(t.from[i]), printable.File(from), start)
			}
		}
		list = append(list, s)
	}
	t.series = tune.Merge(list...)
	if err := t.series.CheckSize(); err != nil {
		return fmt.Errorf("cannot use the series together: %w", err)
	}
	return nil
}

// names are those of the workloads of the manifests.
func (t *tuneRun) names() (names []string) {
	for _, w := range t.manifests.Workloads {
		names = append(names, tuneName(w))
	}
	return names
}

func readSeries(path string) (*tune.Series, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the series: %w", err)
	}
	defer f.Close() // only read from: nothing to lose
	s, err := tune.Read(f)
	if err != nil {
		return nil, fmt.Errorf("cannot use the series %s: %w", printable.File(path), err)
	}
	return s, nil
}

// measure runs the manifests in a folder of their own.
func (t *tuneRun) measure(ctx context.Context) (series *tune.Series, err error) {
	commands, err := parseCommands(t.commands)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "probity-tune-")
	if err != nil {
		return nil, fmt.Errorf("cannot make a folder for the run: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return measure.Measure(ctx, measure.Options{
		Manifests: t.paths, Commands: commands, Env: t.values, StateDir: filepath.Join(dir, "state"), For: t.length, Requests: t.requests, Version: version(),
		Notice: func(line string) { _, _ = fmt.Fprintln(t.streams.Err, printable.Line(line)) }, // nobody reads it: nothing is lost
	})
}

// readCluster reads what a cluster has counted. What it has no words for is not asked.
func (t *tuneRun) readCluster(ctx context.Context) (*tune.Series, error) {
	target, err := kube.Connect(kube.Config{Kubeconfig: t.kubeconfig, Context: t.tuneFlags.context, Namespace: t.namespace})
	if err != nil {
		return nil, err
	}
	defer target.Close()
	seen, err := survey.Read(ctx, target.Client, target.Namespace)
	if err != nil {
		return nil, fmt.Errorf("cannot read the cluster of context %s: %w", printable.Quote(target.Context), err)
	}
	s := &tune.Series{Schema: tune.Schema, Measured: time.Now().UTC().Truncate(time.Second), Skipped: seen.NotSeen}
	probes, err := livenessOf(seen)
	if err != nil {
		return nil, err
	}
	for _, c := range seen.Seen.Containers() {
		s.Containers = append(s.Containers, counted(&c, target.Context, s.Measured, probes))
	}
	return s, nil
}

// liveProbe is a liveness probe of a cluster; without numbers for none.
type liveProbe struct {
	numbers *tune.Setting
	request tune.Request
}

// livenessOf are the liveness probes of a cluster, by workload and container.
func livenessOf(s *survey.Survey) (map[string]liveProbe, error) {
	probes := map[string]liveProbe{}
	note := advisor.Rule{ID: "numbers", Check: func(w *advisor.Workload) []advisor.Finding {
		for _, c := range w.Containers {
			ref := w.Object.Ref()
			probes[countedName(ref.Kind, ref.Name)+"/"+c.Name] = liveProbe{settingOf(c.Liveness), requestsOf(c)["liveness"]}
		}
		return nil
	}}
	_, err := s.Objects.Judge([]advisor.Rule{note}, s.Seen, nil)
	return probes, err
}

// countedName is how a workload is called that a cluster tells of: without its namespace, which is
// that of the context or of a flag, and may be another one than that of a manifest.
func countedName(kind, name string) string { return strings.ToLower(kind) + "/" + name }

// counted is what was seen of a container, as counts of a series.
func counted(c *evidence.Container, context string, asked time.Time, probes map[string]liveProbe) tune.Container {
	name := countedName(c.Workload.Kind, c.Workload.Name)
	out := tune.Container{Workload: name, Name: c.Name}
	for _, start := range c.Starts {
		out.Starts = append(out.Starts, tune.Start{Seconds: math.Max(start.Seconds(), 1), How: tune.Live})
	}
	startup, liveness := c.Probes[0], c.Probes[2] // in the order of a Pod's life
	told := float64(c.Pods)*evidence.EventsKept.Hours() + liveness.Renewed.Hours()
	there := probes[name+"/"+c.Name]
	out.Counts = []tune.Count{{
		Context: context, Asked: asked, PodHours: c.Age.Hours(), EventHours: math.Min(c.Age.Hours(), told),
		Restarts: c.Restarts, Kills: liveness.Kills, StartKills: startup.Kills, Failures: liveness.Failures, Exact: liveness.Exact,
		Liveness: there.numbers, Request: there.request,
	}}
	return out
}

// keep writes the series, and its stalls as a script of simulate beside it.
func (t *tuneRun) keep() error {
	if t.out == "" && t.measured {
		t.out = "series.json.gz"
	}
	if t.out == "" {
		return nil
	}
	kept, err := replaceFile(t.out, t.series.Write)
	if err != nil {
		return err
	}
	if kept != "" {
		if _, err := fmt.Fprintf(t.streams.Err, "kept: %s, the series that was in %s before\n", printable.File(kept), printable.File(t.out)); err != nil {
			return err
		}
	}
	text, _ := t.seriesNow().Script()
	return writeFile(scriptOf(t.out), func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

// replaceFile writes a file beside its place, and puts it there when it is whole. What was there
// before is kept under the name that is returned; "" if there was nothing, or the same.
func replaceFile(path string, write func(io.Writer) error) (kept string, err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", writeFile(path, write) // such as /dev/stdout
	}
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return "", err
	}
	before, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(before, text.Bytes()):
		return "", nil
	case err == nil:
		kept = path + "~"
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("cannot write %s: %w", path, err)
	}
	beside := path + ".new"
	err = writeFile(beside, func(w io.Writer) error { _, err := w.Write(text.Bytes()); return err })
	if err == nil && kept != "" {
		err = os.Rename(path, kept)
	}
	if err == nil {
		err = os.Rename(beside, path)
	}
	return kept, err
}

// scriptOf is the script beside a series: series-script.yaml beside series.json.gz.
func scriptOf(series string) string {
	return strings.TrimSuffix(strings.TrimSuffix(series, ".gz"), ".json") + "-script.yaml"
}

// tuneName is how a workload is called in a series.
func tuneName(w *advisor.Workload) string { return measure.NameOf(w.Object) }

// settingOf are the numbers of a probe; nil for none.
func settingOf(p *advisor.Probe) *tune.Setting {
	if p == nil {
		return nil
	}
	return &tune.Setting{Period: p.Period, Timeout: p.Timeout, Failures: p.FailureThreshold}
}

// seriesNow is the series for what the probes of the manifests ask now. Of a container whose
// liveness probe asks what was not measured it has no answers: those of readiness say nothing of
// restarts.
func (t *tuneRun) seriesNow() *tune.Series {
	now := *t.series
	now.Containers = nil
	for _, w := range t.manifests.Workloads {
		for _, c := range w.Containers {
			measured, _ := t.series.Find(tuneName(w), c.Name).Asked(requestsOf(c))
			if measured == nil {
				continue
			}
			if c.Liveness != nil && measured.Endpoint("liveness") == nil {
				measured.Endpoints = nil
			}
			now.Containers = append(now.Containers, *measured)
		}
	}
	return &now
}

// unmeasured are the containers whose liveness probe asks what was not measured, as those of a
// DaemonSet never are. why says that this forbids a prediction: either the container was measured,
// and is asked something else now, or no other one was. It is "" if there can be one.
func (t *tuneRun) unmeasured(now *tune.Series) (without []string, why string) {
	const nothing = "nothing was measured of what liveness asks in "
	known := false
	for _, w := range t.manifests.Workloads {
		for _, c := range w.Containers {
			if c.Liveness == nil {
				continue
			}
			name := fmt.Sprintf("%s, container %s", tuneName(w), c.Name)
			asked, measured := now.Find(tuneName(w), c.Name), t.series.Find(tuneName(w), c.Name)
			switch {
			case asked != nil && asked.Endpoint("liveness") != nil:
				known = true
			case measured != nil && len(measured.Endpoints) > 0:
				return nil, nothing + name
			default:
				without = append(without, name)
			}
		}
	}
	if len(without) > 0 && !known {
		return nil, nothing + without[0]
	}
	return without, ""
}

// requestsOf are what the probes of a container ask, by their types.
func requestsOf(c *advisor.Container) map[string]tune.Request {
	requests := map[string]tune.Request{}
	for probe, spec := range map[string]*corev1.Probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
		if spec != nil {
			requests[probe] = measure.RequestOf(c.Container, &spec.ProbeHandler)
		}
	}
	return requests
}

// todayOf is what the manifest says of a container.
func todayOf(workload string, c *advisor.Container) tune.Today {
	t := tune.Today{
		Workload: workload, Container: c.Name, Startup: settingOf(c.Startup), Readiness: settingOf(c.Readiness), Liveness: settingOf(c.Liveness),
		Replicas: c.Workload.Replicas, ProgressDeadline: progressDeadline(c.Workload.Object.Resource),
	}
	if c.Startup != nil {
		t.StartDelay = c.Startup.Delay
	}
	if c.Liveness != nil {
		t.LiveDelay = c.Liveness.Delay
	}
	return t
}

// progressDeadline is how many seconds a rollout of a workload may take; 0 for no limit.
func progressDeadline(r manifest.Resource) int {
	if d, ok := r.(*appsv1.Deployment); ok && d.Spec.ProgressDeadlineSeconds != nil {
		return int(*d.Spec.ProgressDeadlineSeconds)
	}
	return 0
}

// verifySeries holds a series against what a cluster has counted since.
func (t *tuneRun) verifySeries(ctx context.Context) error {
	series, err := readSeries(t.verify)
	if err != nil {
		return badInput(err)
	}
	seen, err := t.readCluster(ctx)
	if err != nil {
		return badInput(err)
	}
	var names []string
	for _, c := range series.Containers {
		names = append(names, c.Workload)
	}
	seen.WithNamespaces(names)
	verdicts := verdictsOf(series, seen)
	if len(verdicts) == 0 {
		return badInput(fmt.Errorf("no container of %s with a liveness probe is in the cluster: is it in another namespace?", printable.File(t.verify)))
	}
	if err := printVerdicts(t.streams.Out, t.output, verdicts); err != nil {
		return failed(err)
	}
	for _, v := range verdicts {
		if !v.Holds {
			return failed(nil)
		}
	}
	return nil
}

// verdictsOf holds the rate that a series excludes for the numbers that a cluster has against what
// that has counted.
func verdictsOf(series, seen *tune.Series) (verdicts []tune.Verdict) {
	for i := range series.Containers {
		c := &series.Containers[i]
		if v, ok := c.Against(seen.Find(c.Workload, c.Name)); ok {
			verdicts = append(verdicts, v)
		}
	}
	return verdicts
}
