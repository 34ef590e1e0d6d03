package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/ownership"
)

// Manager is who keeps the fields that are deployed, in the words of managed fields.
const Manager = "probity"

const (
	parallel   = 8 // requests at a time
	applyTries = 3
	applyPause = time.Second
	// requestTime is how long the answer to a request may take: what is between here and the server
	// may lose it.
	requestTime = time.Minute
)

// Options say what is deployed, and how.
type Options struct {
	Cluster *kube.Cluster
	Objects []*Object
	// Set is what they are applied as; the zero value means as none.
	Set Set
	// Insist says that objects which name another namespace than the cluster's are refused.
	Insist bool
	// Force takes fields that other managers keep.
	Force bool
	// Adopt takes objects that another tool sees to, or another set has.
	Adopt bool
	// Prune looks for what an earlier deployment of the set had applied and this one has not.
	Prune bool
	// RestartOnConfig makes what Pods read of the set a part of their templates, as a hash, so that
	// they are made anew when it changes.
	RestartOnConfig bool
	// Before is how Jobs are followed that have to finish before the workloads are applied.
	Before FollowOptions
	// Report is told of what happens, from one goroutine at a time; nil tells nobody.
	Report func(Event)
}

// Entry is an object of a deployment, and what has become of it.
type Entry struct {
	*Object
	// Before is what the server had, nil if nothing. Planned is what it would have by its own
	// answer, nil if it could not be asked. After is what it has.
	Before, Planned, After *unstructured.Unstructured
	// Result is what was done.
	Result Result

	body     []byte
	finished bool // before the workloads were applied
	restored bool // After is what it was before
	// unasked says that the server could not be asked what it would make of it, so that what there
	// is of it is looked at once more before it is applied.
	unasked bool
}

// Result is what was done with an object.
type Result string

// The results. Unknown is one whose request was sent and not answered.
const (
	NotApplied Result = ""
	Created    Result = "created"
	Configured Result = "configured"
	Unchanged  Result = "unchanged"
	Unknown    Result = "unknown"
	Refused    Result = "refused"
)

// Deployment is a plan that a server agrees with, and how far it was carried out. Make it with
// [Plan]. It is not safe for concurrent use.
type Deployment struct {
	Entries []*Entry
	// Leftovers are what an earlier deployment of the set had applied, and this one has not; Kept
	// are those of them that stay all the same, with the reason.
	Leftovers []*Leftover

	options   Options
	resources *kube.Resources
	contents  contents           // of the set before
	unseen    []schema.GroupKind // of the contents, which the server does not serve now
	begun     time.Time          // by the clock of the server
	reporting sync.Mutex
}

// Plan asks a server what it would make of objects, and changes nothing. The error tells all that
// stands against it; what matches [ConflictError] is about fields of others alone.
func Plan(ctx context.Context, o Options) (*Deployment, error) {
	if len(o.Objects) == 0 {
		return nil, errors.New("there is nothing to deploy")
	}
	request, cancel := context.WithTimeout(ctx, requestTime)
	resources, err := o.Cluster.Discover(request)
	cancel()
	if err != nil {
		return nil, fmt.Errorf("cannot ask %s what it serves: %w", o.Cluster.Server, err)
	}
	if err := Bind(o.Objects, resources, o.Cluster.Namespace, o.Insist); err != nil {
		return nil, err
	}
	d := &Deployment{options: o, resources: resources}
	Sort(o.Objects)
	if o.RestartOnConfig {
		if err := stampConfig(o.Objects); err != nil {
			return nil, err
		}
	}
	for _, object := range o.Objects {
		body, err := o.bodyOf(object)
		if err != nil {
			return nil, err
		}
		d.Entries = append(d.Entries, &Entry{Object: object, body: body})
	}
	if err := d.readSet(ctx); err != nil {
		return nil, err
	}
	if err := d.ask(ctx); err != nil {
		return nil, err
	}
	d.tellUnrestarted()
	d.tellQuotas(ctx)
	if o.Prune {
		if err := d.findLeftovers(ctx); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// bodyOf is what is sent of an object: itself, with the label of the set.
func (o *Options) bodyOf(object *Object) ([]byte, error) {
	sent := object.DeepCopy()
	if o.Set.Name != "" {
		labels := sent.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[labelPartOf] = o.Set.ID()
		sent.SetLabels(labels)
	}
	return json.Marshal(sent.Object)
}

// ask sends every object as a dry run; first the definitions, by which it is known what the rest
// may miss.
func (d *Deployment) ask(ctx context.Context) error {
	errs := make([]error, len(d.Entries))
	conflicts := make([][]Conflict, len(d.Entries))
	asked := func(definitions bool) func(int, *Entry) {
		return func(i int, e *Entry) {
			if (e.kind() == definition) == definitions {
				conflicts[i], errs[i] = d.askApart(ctx, e)
			}
		}
	}
	eachParallel(d.Entries, asked(true))
	eachParallel(d.Entries, asked(false))
	var all []Conflict
	for _, some := range conflicts {
		all = append(all, some...)
	}
	if len(all) > 0 {
		errs = append(errs, &ConflictError{all, d.options.Cluster.Now()})
	}
	errs = append(errs, d.askSet(ctx))
	return errors.Join(errs...)
}

// askApart is askOne with conflicts apart from other errors.
func (d *Deployment) askApart(ctx context.Context, e *Entry) ([]Conflict, error) {
	err := d.askOne(ctx, e)
	if meaningOf(err) == conflicted {
		if conflicts := conflictsOf(e.Object, err, e.Before); len(conflicts) > 0 {
			return conflicts, nil
		}
	}
	return nil, err
}

// askOne asks what would become of an object, and reads what there is of it.
func (d *Deployment) askOne(ctx context.Context, e *Entry) error {
	answer, err := d.apply(ctx, e, kube.ApplyOptions{DryRun: true})
	switch meaning := meaningOf(err); {
	case d.brings(e, err):
		return d.leaveUnasked(ctx, e)
	case err != nil && meaning != conflicted:
		return explainRefusal(e.Object, err)
	case err != nil || !answer.Created:
		live, err := d.read(ctx, e.At)
		if err != nil {
			return explainRefusal(e.Object, err)
		}
		e.Before = live
	}
	if refusal := d.mayTake(e); refusal != nil {
		return refusal
	}
	if isOfKubectl(err) {
		answer, err = d.apply(ctx, e, kube.ApplyOptions{DryRun: true, Force: true})
	}
	if meaningOf(err) == conflicted && !isRace(err) {
		return err
	}
	if err != nil {
		return explainRefusal(e.Object, err)
	}
	e.Planned = answer.Object
	for _, text := range e.warnings(answer.Warnings) {
		d.report(Event{Kind: "warning", Object: e.Object, Text: text})
	}
	return nil
}

// read returns a live object; nil if there is none.
func (d *Deployment) read(ctx context.Context, at kube.Ref) (*unstructured.Unstructured, error) {
	request, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	live := &unstructured.Unstructured{}
	err := d.options.Cluster.Get(request, at, live)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return live, err
}

// apply sends an object. A webhook that does not answer is tried again: most are being
// restarted. So is what somebody else has changed in the same moment, which names no field.
func (d *Deployment) apply(ctx context.Context, e *Entry, o kube.ApplyOptions) (kube.Applied, error) {
	o.Manager, o.Force = Manager, o.Force || d.options.Force
	for try := 1; ; try++ {
		request, cancel := context.WithTimeout(ctx, requestTime)
		answer, err := d.options.Cluster.Apply(request, e.At, e.body, o)
		cancel()
		if meaningOf(err) != webhookDown && !isRace(err) || try >= applyTries {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, err
		case <-time.After(applyPause):
		}
	}
}

// mayTake refuses what somebody else sees to.
func (d *Deployment) mayTake(e *Entry) error {
	if e.Before == nil || d.options.Adopt {
		return nil
	}
	if owner := ownership.Owner(e.Before); owner != "" {
		return fmt.Errorf("%s is kept by %s, which would change it back: deploy it by that, or take it with --adopt", e.Object, owner)
	}
	if of := e.Before.GetLabels()[labelPartOf]; of != "" && of != d.options.Set.ID() && d.options.Set.Name != "" {
		return fmt.Errorf("%s belongs to another set (%s=%s), which would prune it: take it with --adopt, or name that set with --set", e.Object, labelPartOf, of)
	}
	return nil
}

// eachParallel calls do for each item, some at a time, and returns when all have ended.
func eachParallel[T any](items []T, do func(int, T)) {
	var working sync.WaitGroup
	turns := make(chan struct{}, parallel)
	for i, item := range items {
		turns <- struct{}{}
		working.Go(func() {
			defer func() { <-turns }()
			do(i, item)
		})
	}
	working.Wait()
}

// Event is something that happened in a deployment.
type Event struct {
	// Kind is "applied", "warning", "note", "pruned" or "undone".
	Kind   string
	Object *Object
	Result Result
	// Entry is that of the object, if it has one.
	Entry *Entry
	// Text is for people, after the name of the object if there is one.
	Text string
}

func (d *Deployment) report(e Event) {
	if d.options.Report == nil {
		return
	}
	d.reporting.Lock()
	defer d.reporting.Unlock()
	d.options.Report(e)
}

// Difference is what applying the entry changes, by the server's answer; see the function of that
// name.
func (e *Entry) Difference() ([]byte, error) {
	after := e.Planned
	if after == nil {
		after = e.Unstructured // the server could not be asked
	}
	return Difference(e.String(), e.Before, after)
}

// Expected is what will be done by the server's answer to the dry run.
func (e *Entry) Expected() Result {
	switch {
	case e.Before == nil:
		return Created
	case alike(e.Before, e.Planned):
		return Unchanged
	}
	return Configured
}

// isMissing reports whether an error says that there is no such object.
func isMissing(err error) bool {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	return ok && status.ErrStatus.Code == http.StatusNotFound
}
