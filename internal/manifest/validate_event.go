package manifest

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The longest texts of an Event with an eventTime.
const (
	maxEventWord = 128
	maxEventNote = 1024
)

// validateEvent has the rules of core/v1: they are strict only for an Event with an eventTime.
func validateEvent(e *corev1.Event) field.ErrorList {
	return validateEventOf(e, "reportingComponent")
}

// validateEventOf calls the controller what the client does.
func validateEventOf(e *corev1.Event, controllerName string) field.ErrorList {
	var errs field.ErrorList
	about := e.InvolvedObject.Namespace
	mismatch := field.Invalid(field.NewPath("involvedObject", "namespace"), about, "does not match event.namespace")
	if e.EventTime.IsZero() {
		if about != e.Namespace && (about != "" || e.Namespace != metav1.NamespaceDefault) {
			errs = append(errs, mismatch)
		}
		return errs
	}
	if about == "" && e.Namespace != metav1.NamespaceDefault && e.Namespace != metav1.NamespaceSystem {
		errs = append(errs, mismatch)
	}
	controller := field.NewPath(controllerName)
	if e.ReportingController == "" {
		errs = append(errs, field.Required(controller, ""))
	}
	errs = append(errs, invalid(controller, e.ReportingController, utilvalidation.IsQualifiedName(e.ReportingController))...)
	for _, word := range []struct{ name, value string }{{"reportingInstance", e.ReportingInstance}, {"action", e.Action}, {"reason", e.Reason}} {
		path := field.NewPath(word.name)
		if word.value == "" {
			errs = append(errs, field.Required(path, ""))
		}
		if len(word.value) > maxEventWord {
			errs = append(errs, field.Invalid(path, "", fmt.Sprintf("can have at most %v characters", maxEventWord)))
		}
	}
	if len(e.Message) > maxEventNote {
		errs = append(errs, field.Invalid(field.NewPath("message"), "", fmt.Sprintf("can have at most %v characters", maxEventNote)))
	}
	return errs
}

// ValidateAs is [Validate] and, where there is an old object, [ValidateUpdate], for a client that
// writes through another group than the one in which the object is kept. That is stricter with
// Events: events.k8s.io/v1 wants all of a new one, none of its deprecated fields, and lets but the
// series and the metadata of one change. old is nil for a new object.
func ValidateAs(gv schema.GroupVersion, old, new Resource) field.ErrorList {
	e, ok := new.(*corev1.Event)
	if !ok || gv != eventsv1.SchemeGroupVersion {
		if old == nil {
			return Validate(new)
		}
		return append(ValidateUpdate(old, new), Validate(new)...)
	}
	errs := validateEventOf(e, "reportingController")
	if old == nil {
		errs = append(errs, validateMeta(e, validation.NameIsDNSSubdomain)...)
		return append(errs, validateNewEvent(e)...)
	}
	errs = append(errs, validateMetaUpdate(old, e, field.NewPath("metadata"))...)
	return append(errs, validateEventUpdate(old.(*corev1.Event), e)...)
}

func validateNewEvent(e *corev1.Event) field.ErrorList {
	errs := validateSeries(e.Series)
	if e.EventTime.IsZero() {
		errs = append(errs, field.Required(field.NewPath("eventTime"), ""))
	}
	if e.Type != corev1.EventTypeNormal && e.Type != corev1.EventTypeWarning {
		errs = append(errs, field.Invalid(field.NewPath("type"), "", fmt.Sprintf("has invalid value: %v", e.Type)))
	}
	for _, old := range []struct {
		name string
		set  bool
	}{
		{"firstTimestamp", !e.FirstTimestamp.IsZero()}, {"lastTimestamp", !e.LastTimestamp.IsZero()}, {"count", e.Count != 0}, {"source", e.Source != corev1.EventSource{}},
	} {
		if old.set {
			errs = append(errs, field.Invalid(field.NewPath(old.name), "", "needs to be unset"))
		}
	}
	return errs
}

func validateSeries(s *corev1.EventSeries) field.ErrorList {
	var errs field.ErrorList
	if s != nil && s.Count < 2 {
		errs = append(errs, field.Invalid(field.NewPath("series.count"), "", "should be at least 2"))
	}
	if s != nil && s.LastObservedTime.IsZero() {
		errs = append(errs, field.Required(field.NewPath("series.lastObservedTime"), ""))
	}
	return errs
}

// A reference and a source are printed by the API server without the names that they have in JSON.
type (
	reference struct {
		Kind, Namespace, Name                  string
		UID                                    types.UID
		APIVersion, ResourceVersion, FieldPath string
	}
	source struct{ Component, Host string }
)

func validateEventUpdate(old, new *corev1.Event) field.ErrorList {
	var errs field.ErrorList
	if changed := immutable(old.Series, new.Series, nil); len(changed) > 0 {
		errs = validateSeries(new.Series)
	}
	if old.EventTime.Truncate(time.Microsecond).Equal(new.EventTime.Truncate(time.Microsecond)) {
		new.EventTime = old.EventTime // what is finer is lost on the way
	}
	for _, f := range []struct {
		name     string
		old, new any
	}{
		{"involvedObject", reference(old.InvolvedObject), reference(new.InvolvedObject)}, {"reason", old.Reason, new.Reason}, {"message", old.Message, new.Message},
		{"source", source(old.Source), source(new.Source)},
		{"firstTimestamp", old.FirstTimestamp, new.FirstTimestamp}, {"lastTimestamp", old.LastTimestamp, new.LastTimestamp}, {"count", old.Count, new.Count},
		{"type", old.Type, new.Type}, {"eventTime", old.EventTime, new.EventTime}, {"action", old.Action, new.Action}, {"related", (*reference)(old.Related), (*reference)(new.Related)},
		{"reportingController", old.ReportingController, new.ReportingController}, {"reportingInstance", old.ReportingInstance, new.ReportingInstance},
	} {
		errs = append(errs, immutable(f.old, f.new, field.NewPath(f.name))...)
	}
	return errs
}
