package deploy

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/ownership"
	"github.com/probity-run/probity/internal/rollout"
)

// remembered is what was before a deployment.
type remembered struct {
	// Begun is when, by the clock of the server.
	Begun   time.Time
	Objects []rememberedObject
}

type rememberedObject struct {
	At               kube.Ref
	APIVersion, Kind string
	// Before is the whole object, nil if there was none.
	Before *unstructured.Unstructured
}

// maxRemembered bounds what is unpacked of a memory, in bytes.
const maxRemembered = 256 << 20

// clockSlack is by how much the clocks of a server and of those who create objects in it are taken
// to differ.
const clockSlack = 5 * time.Second

// Remember is what it takes to undo the deployment later, by [Recall], before it is carried out. It
// has all of the objects in it, also what Secrets hold. The memory of an earlier deployment that
// was neither up nor undone goes on in it: what that one has left is not what anybody wants back.
// Without one, earlier is nil.
func (d *Deployment) Remember(earlier []byte) ([]byte, error) {
	all := remembered{Begun: d.options.Cluster.Now()}
	for _, e := range d.Entries {
		all.Objects = append(all.Objects, rememberedObject{e.At, e.GetAPIVersion(), e.GetKind(), e.Before})
	}
	if earlier != nil {
		before, err := unpack(earlier)
		if err != nil {
			return nil, err
		}
		all.continueFrom(before)
	}
	var packed bytes.Buffer
	to := gzip.NewWriter(&packed)
	text, err := json.Marshal(all)
	if err == nil && len(text) > maxRemembered {
		err = fmt.Errorf("it is longer than %d MiB", maxRemembered>>20) // which nobody could read again
	}
	if err == nil {
		_, err = to.Write(text)
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return nil, fmt.Errorf("cannot pack what was before: %w", err)
	}
	return packed.Bytes(), nil
}

// continueFrom takes for each object of an earlier memory what that says of it.
func (r *remembered) continueFrom(earlier remembered) {
	r.Begun = earlier.Begun
	for _, old := range earlier.Objects {
		i := slices.IndexFunc(r.Objects, func(o rememberedObject) bool {
			at := o.At
			at.Kind.Version = old.At.Kind.Version // of one object there are several
			return at == old.At
		})
		if i >= 0 {
			r.Objects[i] = old
		} else {
			r.Objects = append(r.Objects, old)
		}
	}
}

// Begun is when the deployment began whose memory it is, by the clock of its server.
func Begun(memory []byte) (time.Time, error) {
	all, err := unpack(memory)
	return all.Begun, err
}

// unpack reads a memory.
func unpack(memory []byte) (all remembered, err error) {
	from, err := gzip.NewReader(bytes.NewReader(memory))
	if err == nil {
		err = json.NewDecoder(io.LimitReader(from, maxRemembered)).Decode(&all)
	}
	if err != nil {
		return remembered{}, fmt.Errorf("cannot read what was before: %w", err)
	}
	return all, nil
}

// Recall is a deployment of which it is only known what was before, to be undone: however far it
// was carried out, by whatever became of the objects since. The error matches [ErrNotKnown] if the
// server cannot be asked.
func Recall(ctx context.Context, o Options, memory []byte) (*Deployment, error) {
	all, err := unpack(memory)
	if err != nil {
		return nil, err
	}
	d := &Deployment{options: o, begun: all.Begun}
	for _, r := range all.Objects {
		object := &Object{Unstructured: &unstructured.Unstructured{}, At: r.At}
		object.SetAPIVersion(r.APIVersion)
		object.SetKind(r.Kind)
		object.SetNamespace(r.At.Namespace)
		object.SetName(r.At.Name)
		live, err := d.read(ctx, r.At)
		if err != nil {
			return nil, fmt.Errorf("%w: cannot read what became of %s: %w", ErrNotKnown, object, err)
		}
		e := &Entry{Object: object, Before: r.Before, After: live}
		e.Result = d.became(e)
		d.Entries = append(d.Entries, e)
	}
	return d, nil
}

// became is what was done with an object, by what was before and what there is.
func (d *Deployment) became(e *Entry) Result {
	switch before, now := e.Before, e.After; {
	case now == nil && before == nil:
		return NotApplied
	case now == nil:
		d.report(Event{Kind: "undone", Object: e.Object, Text: "stays away: somebody has deleted it"})
		return NotApplied
	case before == nil && d.hasMade(now):
		return Created
	case before == nil, before.GetUID() != now.GetUID():
		d.report(Event{Kind: "undone", Object: e.Object, Text: "stays: somebody else has made it"})
		return NotApplied
	case unchanged(before, now):
		return Unchanged
	}
	return Configured
}

// hasMade reports whether an object that was not there before is one of the deployment.
func (d *Deployment) hasMade(o *unstructured.Unstructured) bool {
	ours, err := ownership.Applied(o.GetManagedFields(), Manager)
	return err == nil && len(ours) > 0 && !o.GetCreationTimestamp().Time.Before(d.begun.Add(-clockSlack))
}

// FollowUndone is [Deployment.Follow] of the workloads that [Deployment.Undo] has restored, until
// what was before serves again.
func (d *Deployment) FollowUndone(ctx context.Context, o FollowOptions) ([]rollout.Result, error) {
	var entries []*Entry
	for _, e := range d.Entries {
		if e.restored {
			entries = append(entries, e)
		}
	}
	return d.follow(ctx, o, entries)
}
