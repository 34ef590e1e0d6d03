package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/probity-run/probity/internal/deploy"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/system"
)

// undoTime bounds the requests by which a deployment is undone.
const undoTime = time.Minute

// kept is where the deployment keeps what was before.
func (r *deployRun) kept() system.DeployState {
	return system.DeployStateOf(r.cluster.Server, r.cluster.Namespace, r.name)
}

// remember keeps what is there for the case that the deployment is broken off. Without, it can be
// undone as long as it runs. What an earlier one keeps that was neither up nor undone is still what
// comes back.
func (r *deployRun) remember() {
	earlier, err := r.kept().Read()
	if errors.Is(err, fs.ErrNotExist) {
		earlier, err = nil, nil
	}
	var memory []byte
	var begun time.Time
	if err == nil {
		memory, err = r.plan.Remember(earlier)
	}
	if err == nil {
		begun, err = deploy.Begun(memory)
	}
	if err == nil {
		err = r.kept().Write(memory)
	}
	r.isKept = err == nil
	switch {
	case err != nil:
		r.out.note("if this is interrupted, --undo cannot bring back what was: " + err.Error())
	case earlier != nil:
		r.memory = memory
		r.out.note(fmt.Sprintf("the deployment of %s was neither up nor undone: what comes back, if this one fails, is what was before that",
			begun.Local().Format("2 Jan 15:04:05")))
	}
}

// tellUndo tells how what was before comes back, if it is kept.
func (r *deployRun) tellUndo() {
	if r.isKept {
		r.out.note("what was before is kept: --undo instead of --undo-on-failure brings it back")
	}
}

// forget keeps it no longer: all is up, or undone.
func (r *deployRun) forget() {
	if err := r.kept().Remove(); err != nil {
		r.out.note("cannot remove what was kept to undo the deployment: " + err.Error())
	}
}

// undoAll brings back what was before, even if somebody has lost patience in the meantime, and
// follows that until it serves again. With an error, code says whether that is known.
func (r *deployRun) undoAll(ctx context.Context) (code int, err error) {
	undoing, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	plan := r.plan
	if r.memory != nil {
		if plan, err = r.recall(undoing, r.memory); err != nil {
			return codeOfUndo(err), err
		}
	}
	r.out.note("undoing: what was configured gets the fields that were applied before, what was created is deleted")
	if err := plan.Undo(undoing); err != nil {
		if r.isKept {
			r.out.note("what was before is still kept: --undo tries again")
		}
		return codeOfUndo(err), err
	}
	r.forget()
	o := r.followOptions()
	o.Findings = nil // they are about the files
	results, err := plan.FollowUndone(ctx, o)
	r.out.followed()
	if err != nil {
		return ExitUnknown, fmt.Errorf("undone; whether what was before serves again is not known: %w", err)
	}
	switch code := r.out.verdicts(results); {
	case code == ExitUnknown:
		return code, errors.New("undone; whether what was before serves again is not known")
	case code != ExitOK:
		return code, errors.New("undone, and what was before does not serve again")
	case len(results) > 0:
		r.out.note("undone: what was before serves again")
	}
	return ExitOK, nil
}

// codeOfUndo is the exit code of an error of undoing.
func codeOfUndo(err error) int {
	if errors.Is(err, deploy.ErrNotKnown) {
		return ExitUnknown
	}
	return ExitFailed
}

// undoLast is the whole of probity deploy --undo.
func (r *deployRun) undoLast(ctx context.Context, args []string) error {
	var err error
	if r.name, err = r.setName(args); err != nil {
		return badInput(err)
	}
	if r.cluster, err = kube.Connect(r.config); err != nil {
		return badInput(err)
	}
	defer r.cluster.Close()
	r.out = newDeployOutput(r.streams, r.output, false)
	r.out.begin(r.cluster, r.name)
	memory, err := r.kept().Read()
	if errors.Is(err, fs.ErrNotExist) {
		return badInput(fmt.Errorf("nothing is kept of the set %s in namespace %s: a deployment with --undo-on-failure keeps what was before until it is up or undone", r.name, r.cluster.Namespace))
	}
	if err != nil {
		return badInput(fmt.Errorf("cannot read what was before: %w", err))
	}
	asking, cancel := context.WithTimeout(ctx, undoTime)
	defer cancel()
	r.plan, err = r.recall(asking, memory)
	switch {
	case errors.Is(err, deploy.ErrNotKnown):
		return unknown(err)
	case err != nil:
		return badInput(err)
	}
	r.isKept = true
	if code, err := r.undoAll(ctx); err != nil {
		return &exitError{code, err}
	}
	return nil
}

// recall is what is kept of a deployment, to be undone.
func (r *deployRun) recall(ctx context.Context, memory []byte) (*deploy.Deployment, error) {
	set := deploy.Set{Name: r.name, Namespace: r.cluster.Namespace}
	return deploy.Recall(ctx, deploy.Options{Cluster: r.cluster, Set: set, Report: r.out.event}, memory)
}
