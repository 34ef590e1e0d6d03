package system

import "errors"

// InputError says that what a system was given is wrong: a manifest, a flag, a state folder.
// Because of it nothing was started or changed.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// Hint is what to do about it, in lines of its own; "" if the error says it all.
func (e *InputError) Hint() string {
	if found, ok := errors.AsType[*checkError](e.Err); ok {
		return found.Hint()
	}
	return ""
}
