package drill

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/dashboard"
	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/system"
)

// Options of a drill. The zero value of each field is its default.
type Options struct {
	// Files are manifests, folders of them, or "-" for Stdin. Required.
	Files []string
	Stdin io.Reader
	// Commands and Env are as in [system.Options].
	Commands map[string]string
	Env      map[string]string
	// Only are the workloads to drill, by name or as in "deployment/web". The others run as well,
	// as these may depend on them. Default: all.
	Only []string
	// Faults are those to inject. Default: those that fit the budget.
	Faults []Fault
	// Requests are what the load repeats. Default: GET of the root.
	Requests []RequestSpec
	// Rate is how many requests a second are sent. Default 20.
	Rate float64
	// Repetitions of each fault, at different phases of the probes. Default 3.
	Repetitions int
	// Budget is how long the drill may take. Default 5 min.
	Budget time.Duration
	// LikeProbity routes as probity run does. Default: as a cluster.
	LikeProbity bool
	// EndpointDelay is how long the front takes to learn of endpoints, as in a cluster. Default 1
	// s; negative: none.
	EndpointDelay time.Duration
	// Dependencies are environment variables that say where a dependency is, by its name.
	Dependencies map[string]string
	// AllowRemote also breaks connections to other machines.
	AllowRemote bool
	// Version of Probity, for the dashboard. Default: none.
	Version string
	// Progress, if not nil, gets what is being done, a line at a time.
	Progress func(line string)
	// Judged, if not nil, gets each result before anybody else does, and may add advice to it. The
	// report is that so far.
	Judged func(*Report, *Result)
	// Watch, if not nil, gets how far the drill is, each time that it has got on. It is called in
	// one goroutine and must not wait; the last call is before what was started ends.
	Watch func(State)
	// Drills, if not nil, are what the dashboard of the run shows of drills. Default: the run has
	// no dashboard. Progress gets a link to it.
	Drills dashboard.Drills
	// Notice, if not nil, gets what the system says.
	Notice func(line string)
}

// Defaults of [Options].
const (
	DefaultRate          = 20
	DefaultRepetitions   = 3
	DefaultBudget        = 5 * time.Minute
	DefaultEndpointDelay = time.Second
)

func (o Options) withDefaults() Options {
	o.Rate, o.Repetitions, o.Budget = cmp.Or(o.Rate, DefaultRate), cmp.Or(o.Repetitions, DefaultRepetitions), cmp.Or(o.Budget, DefaultBudget)
	o.EndpointDelay = max(cmp.Or(o.EndpointDelay, DefaultEndpointDelay), 0)
	if len(o.Requests) == 0 {
		o.Requests = []RequestSpec{{Method: "GET", Path: "/"}}
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Watch == nil {
		o.Watch = func(State) {}
	}
	if o.Judged == nil {
		o.Judged = func(*Report, *Result) {}
	}
	if o.LikeProbity {
		o.EndpointDelay = 0
	}
	return o
}

// Check refuses numbers and requests with which nothing can be drilled, in the words of the command
// line. It takes no default for a zero.
func (o Options) Check() error {
	switch {
	case o.Repetitions < 1 || o.Repetitions > 100:
		return fmt.Errorf("cannot use --repeat %d: it must be between 1 and 100", o.Repetitions)
	case !(o.Rate >= 1 && o.Rate <= 1000):
		return fmt.Errorf("cannot use --rate %g: it must be between 1 and 1000", o.Rate)
	case o.Budget < time.Second || o.Budget > 24*time.Hour:
		return fmt.Errorf("cannot use --budget %v: it must be between 1s and 24h", o.Budget)
	case o.EndpointDelay > time.Minute:
		return fmt.Errorf("cannot use --endpoint-delay %v: it must be between 0s and 1m", o.EndpointDelay)
	}
	for _, r := range o.Requests {
		if err := r.check(); err != nil {
			return fmt.Errorf("cannot send the request %s: %w", printable.Quote(r.Name()), err)
		}
	}
	return nil
}

// InputError says that what a drill was given is wrong. Because of it nothing was started.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// drill is a drill that runs.
type drill struct {
	opts    Options
	ctx     context.Context
	report  *Report
	targets []*target
	others  []*target // which run beside them
	system  *system.System
	// attached: the system is one that others have started.
	attached bool
	record   *record
	late     lateness
	book     book
	loads    map[string]*load // by workload
	load     *load            // of the workload that is being drilled
	state    State            // the last one that was told, but for its report
	judged   int              // how many results were given to Options.Judged

	rolling sync.Mutex // held while the drill itself changes a workload, and while that is compared
}

// Run runs manifests in a system of its own, breaks what they start and judges what becomes of it.
// When it returns, nothing of that is left. If the context is done, it undoes the fault of the
// moment and returns the report so far. The error is an [*InputError] if nothing was started.
func Run(ctx context.Context, opts Options) (*Report, error) {
	opts = opts.withDefaults()
	d := &drill{opts: opts, ctx: ctx, report: newReport(opts), loads: map[string]*load{}}
	if err := d.read(); err != nil {
		return nil, &InputError{err}
	}
	dir, err := os.MkdirTemp("", "probity") // short, as it has a socket
	if err != nil {
		return nil, err
	}
	if err := d.start(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	d.work()
	d.report.Took = d.since(time.Now())
	d.tellEnd()
	if d.system.DashboardIsOpen() {
		d.sleep(lookTime)
	}
	d.end()
	return d.report, os.RemoveAll(dir)
}

// work plays the drill, with what has to go on meanwhile.
func (d *drill) work(beside ...func(ctx context.Context)) {
	working, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, do := range append(beside, d.late.run, d.record.run) {
		running.Go(func() { do(working) })
	}
	d.play()
	stop()
	running.Wait()
}

func (d *drill) since(t time.Time) Offset { return Offset(t.Sub(d.report.Began)) }

// newReport is the report of a drill of which nothing has come yet.
func newReport(opts Options) *Report {
	r := &Report{
		Files: opts.Files, Began: time.Now(), Routing: "cluster", EndpointDelay: Offset(opts.EndpointDelay), Rate: opts.Rate,
		Workloads: []Workload{}, Classes: []Class{}, Results: []*Result{}, LeftOut: []LeftOut{}, Dependencies: []Dependency{}, BlindSpots: []string{},
		Assertions: []Assertion{}, Failures: []string{},
	}
	if opts.LikeProbity {
		r.Routing = "probity"
	}
	return r
}

// read reads the manifests.
func (d *drill) read() error {
	if d.opts.Stdin != nil && slices.Contains(d.opts.Files, "-") {
		data, err := io.ReadAll(d.opts.Stdin)
		if err != nil {
			return fmt.Errorf("cannot read standard input: %w", err)
		}
		d.opts.Stdin = bytes.NewReader(data)
		defer func() { d.opts.Stdin = bytes.NewReader(data) }()
	}
	set, err := manifest.Load(manifest.Options{Stdin: d.opts.Stdin, Formats: formats.All(formats.Options{Run: true, Env: d.opts.Env})}, d.opts.Files...)
	if err != nil {
		return err
	}
	return d.choose(targetsOf(set.Objects))
}

// choose chooses what is to be drilled.
func (d *drill) choose(all []*target) (err error) {
	if d.targets, d.others, err = keepOnly(all, d.opts.Only); err != nil {
		return err
	}
	if len(d.targets) == 0 {
		return errors.New("nothing to drill: there is no Deployment, StatefulSet, ReplicaSet or Pod that is to go on running")
	}
	for _, f := range d.opts.Faults {
		if f.Workload != "" && !slices.ContainsFunc(d.targets, func(t *target) bool { return t.is(f.Workload) }) {
			return fmt.Errorf("cannot inject %s: there is no workload %s", f.Word, f.Workload)
		}
		if f.Container != "" && !slices.ContainsFunc(d.targets, func(t *target) bool { return t.has(f.Container) && (f.Workload == "" || t.is(f.Workload)) }) {
			return fmt.Errorf("cannot inject %s: no workload has a container %s that goes on running", f.Word, f.Container)
		}
	}
	return nil
}

// start starts a system of its own.
func (d *drill) start(dir string) error {
	opts := system.Options{
		Manifests: d.opts.Files, Stdin: d.opts.Stdin, Commands: d.opts.Commands, Env: d.opts.Env,
		StateDir: filepath.Join(dir, "state"), MaxRestartPeriod: backoffLimit, NoDashboard: d.opts.Drills == nil, NoAPI: true, Notice: d.opts.Notice,
		Drills: d.opts.Drills, Listed: d.opts.Drills != nil, Version: d.opts.Version,
		Faults: true, Routing: d.routing(),
	}
	opts.Dependencies = system.DependencyOptions{
		Watch:     func(string, string, string) bool { return true },
		Variables: d.opts.Dependencies, AllowRemote: d.opts.AllowRemote,
	}
	var err error
	if d.system, err = system.New(opts); err != nil {
		if input, ok := errors.AsType[*system.InputError](err); ok {
			return &InputError{input}
		}
		return err
	}
	d.report.Began = time.Now()
	if err := d.system.Start(context.Background()); err != nil {
		return err
	}
	d.record = newRecord(d.report.Began, d.system.Store(), d.system.History())
	if link := d.system.DashboardLink(); link != "" {
		d.opts.Progress("dashboard: " + link)
	}
	return nil
}

// lookTime is how long a browser that is open gets to fetch how a drill has ended, before the
// dashboard of the run ends with it.
const lookTime = 2500 * time.Millisecond

// endTime is how long programs may take to end before they are killed.
const endTime = 3 * time.Second

// end stops the system and waits until nothing of it is left.
func (d *drill) end() {
	d.system.Stop()
	select {
	case <-d.system.Done():
	case <-time.After(endTime):
		d.system.Abort()
	}
	<-d.system.Done()
	_ = d.system.Wait() // that Pods were killed is what was meant
}

// target finds a workload by its name.
func (d *drill) target(name string) *target {
	i := slices.IndexFunc(d.targets, func(t *target) bool { return t.Name == name })
	return d.targets[i]
}

// sleep waits, unless the drill is interrupted.
func (d *drill) sleep(t time.Duration) {
	select {
	case <-d.ctx.Done():
	case <-time.After(t):
	}
}

// until waits until something holds, which is asked each time that the record was read, or until a
// deadline.
func (d *drill) until(deadline time.Time, holds func() bool) bool {
	for d.ctx.Err() == nil {
		d.record.read()
		if holds() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		d.sleep(readPeriod / 2)
	}
	return false
}

// pods are the Pods of a workload that are not to go, by name.
func (d *drill) pods(t *target) []*corev1.Pod {
	all := podsOf(d.record.store, t)
	return slices.DeleteFunc(all, func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil })
}

// allReady reports whether a workload has all its replicas, and all are Ready.
func (d *drill) allReady(t *target) bool {
	pods := d.pods(t)
	for _, p := range pods {
		if !isReady(p) {
			return false
		}
	}
	return len(pods) == t.Replicas && len(podsOf(d.record.store, t)) == t.Replicas
}
