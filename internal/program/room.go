package program

import (
	"fmt"

	"github.com/probity-run/probity/internal/manifest"
)

// MaxPodStrings is how many bytes the environments and command lines of a Pod may have in all: as
// much as Linux takes for one program with its usual stack of 8 MiB. References to references, and
// one ConfigMap under many prefixes, would otherwise fill the memory.
const MaxPodStrings = 2 << 20

// Room is what is left of [MaxPodStrings] for a Pod. It is for one goroutine.
type Room struct{ left int }

// NewRoom is the room of a Pod of which so many bytes are in use.
func NewRoom(used int) *Room { return &Room{MaxPodStrings - used} }

// Left is how many bytes are left.
func (r *Room) Left() int { return r.left }

// TooLongError is the error for strings of a manifest that are too long to start a program with.
type TooLongError struct {
	// Field is the path below the container, such as env[3].value, or metadata.annotations[…].
	Field string
	err   error
}

func (e *TooLongError) Error() string { return fmt.Sprintf("cannot use %s: %v", e.Field, e.err) }

// Unwrap returns what is wrong with the field.
func (e *TooLongError) Unwrap() error { return e.err }

// take makes room for a string of a field of a container.
func (r *Room) take(bytes int, field string) error {
	if bytes > manifest.MaxString {
		return &TooLongError{field, fmt.Errorf("it gives %d bytes, and no program can be started with a string of more than %d: shorten it", bytes, manifest.MaxString)}
	}
	if r.left -= bytes; r.left < 0 {
		return &TooLongError{field, fmt.Errorf("with it, the environments and command lines of this Pod have more than %d bytes once $(NAME) is replaced in them: "+
			"let the programs read large values from a volume", MaxPodStrings)}
	}
	return nil
}

// Expand replaces $(NAME) in the words of a command line; field is where they stand in the
// container, and word the place of one of them. The error is a [*TooLongError].
func (r *Room) Expand(words []string, lookup func(string) (string, bool), field func(word int) string) ([]string, error) {
	expanded := make([]string, len(words))
	for i, word := range words {
		var err error
		if expanded[i], err = manifest.Expand(word, lookup); err != nil {
			return nil, &TooLongError{field(i), err}
		}
		if err := r.take(len(expanded[i])+len("\x00"), field(i)); err != nil {
			return nil, err
		}
	}
	return expanded, nil
}
