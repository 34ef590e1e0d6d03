package deploy

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/probity-run/probity/internal/printable"
)

// meaning is what an error of a server means for a deployment.
type meaning string

const (
	conflicted  meaning = "conflict"      // another manager keeps fields
	badInput    meaning = "bad input"     // the manifest is wrong
	immutable   meaning = "immutable"     // fields that cannot be changed
	webhookDown meaning = "webhook"       // an admission webhook does not answer
	unchecked   meaning = "not checked"   // what it lives in is not there yet
	forbidden   meaning = "forbidden"     // this user may not
	strange     meaning = "not a refusal" // credentials, connection: nobody knows
	refusedByIt meaning = "refused"       // by admission, for want of time, or for another reason
)

// meaningOf tells errors apart. A server gives 500 for two things that are none of its own: a
// manifest that does not fit the schema, and a webhook that is away.
func meaningOf(err error) meaning {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok {
		return strange
	}
	message := status.ErrStatus.Message
	switch {
	case apierrors.IsConflict(err):
		return conflicted
	case strings.Contains(message, "failed calling webhook"):
		return webhookDown
	case strings.Contains(message, "failed to create typed patch object"), apierrors.IsBadRequest(err):
		return badInput
	case apierrors.IsInvalid(err) && strings.Contains(message, "immutable"), apierrors.IsInvalid(err) && strings.Contains(message, "updates to statefulset spec"):
		return immutable
	case apierrors.IsInvalid(err):
		return badInput
	case apierrors.IsForbidden(err) && strings.Contains(message, "cannot ") && strings.Contains(message, "in API group"):
		return forbidden
	case apierrors.IsNotFound(err):
		return unchecked
	case apierrors.IsUnauthorized(err), status.ErrStatus.Code >= http.StatusInternalServerError, apierrors.IsTimeout(err):
		return strange
	}
	return refusedByIt
}

// webhookName is in the message of a server about a webhook that does not answer.
var webhookName = regexp.MustCompile(`failed calling webhook "([^"]+)"`)

// explainRefusal is a refusal in words that say what to do.
func explainRefusal(o *Object, err error) error {
	message := err.Error()
	if status, ok := errors.AsType[*apierrors.StatusError](err); ok {
		message = printable.Line(status.ErrStatus.Message)
	}
	switch meaningOf(err) {
	case webhookDown:
		name := "?"
		if found := webhookName.FindStringSubmatch(message); found != nil {
			name = found[1]
		}
		return fmt.Errorf("%s: the admission webhook %s does not answer, so the server takes nothing: %s", o, name, message)
	case immutable:
		return fmt.Errorf("%s: %s: %s; an object with other values there has to be made anew: delete it first, if what it holds may go", o.Position, o, message)
	case badInput:
		return fmt.Errorf("%s: %s: %s", o.Position, o, message)
	case forbidden:
		return fmt.Errorf("%s: not allowed: %s", o, message)
	case strange:
		return fmt.Errorf("%s: %w", o, err)
	}
	return fmt.Errorf("%s: the server refuses: %s", o, message)
}

// Conflict is a field that another manager keeps.
type Conflict struct {
	Object *Object
	// Field is its path; Manager is who keeps it, by which Subresource, if by any, and Operation.
	Field, Manager, Subresource, Operation string
	// Since is when that manager wrote last; zero if the object does not say.
	Since time.Time
}

// managerOf are the parts of a cause's message: conflict with "kubectl" with subresource "scale"
// using apps/v1.
var managerOf = regexp.MustCompile(`conflict with "([^"]*)"(?: with subresource "([^"]*)")?`)

// conflictsOf are the conflicts that a refusal names. The times are from the live object, because
// the refusal has none.
func conflictsOf(o *Object, err error, live *unstructured.Unstructured) (all []Conflict) {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || status.ErrStatus.Details == nil {
		return nil
	}
	for _, cause := range status.ErrStatus.Details.Causes {
		parts := managerOf.FindStringSubmatch(cause.Message)
		if cause.Type != metav1.CauseTypeFieldManagerConflict || parts == nil {
			continue
		}
		conflict := Conflict{Object: o, Field: cause.Field, Manager: parts[1], Subresource: parts[2]}
		if live != nil {
			for _, entry := range live.GetManagedFields() {
				if entry.Manager == conflict.Manager && entry.Subresource == conflict.Subresource && entry.Time != nil && entry.Time.After(conflict.Since) {
					conflict.Since, conflict.Operation = entry.Time.Time, string(entry.Operation)
				}
			}
		}
		all = append(all, conflict)
	}
	return all
}

// isRace reports whether an error says that somebody else was faster: it names no field that
// anybody keeps.
func isRace(err error) bool {
	return meaningOf(err) == conflicted && len(conflictsOf(nil, err, nil)) == 0
}

// String says who keeps the field, and what can be done.
func (c Conflict) text(now time.Time) string {
	by := []string{}
	if c.Subresource != "" {
		by = append(by, c.Subresource)
	}
	if !c.Since.IsZero() {
		by = append(by, age(now.Sub(c.Since))+" ago")
	}
	who := c.Manager
	if len(by) > 0 {
		who += " (" + strings.Join(by, ", ") + ")"
	}
	return fmt.Sprintf("%s %s is kept by %s", c.Object, strings.TrimPrefix(c.Field, "."), printable.Line(who))
}

// ConflictError says that other managers keep fields of the manifests.
type ConflictError struct {
	Conflicts []Conflict
	now       time.Time
}

// Error is one message about all of them.
func (e *ConflictError) Error() string {
	lines := make([]string, 0, len(e.Conflicts)+1)
	for _, c := range e.Conflicts {
		lines = append(lines, c.text(e.now))
	}
	slices.Sort(lines)
	if len(lines) == 1 {
		return lines[0] + ": leave it out of the file, or take it with --force-conflicts"
	}
	return strings.Join(append(lines, "leave them out of the files, or take them with --force-conflicts"), "\n")
}

// age is a duration as people say it, in its largest unit.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
