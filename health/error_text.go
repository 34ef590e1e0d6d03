package health

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
	"unicode/utf8"
)

const (
	maxErrorText = 1 << 10  // bytes of an error that answers and log lines have
	maxStack     = 16 << 10 // bytes of a panic's stack that the log has
)

// userError is an error that code of the user returned. Its text was asked for once, and is
// bounded: Error of a nil pointer or of a careless type may panic, and a text may be a whole answer
// of a server.
type userError struct {
	err  error // nil if it must not be touched again
	text string
}

func (e *userError) Error() string { return e.text }
func (e *userError) Unwrap() error { return e.err }

// panicError is a panic of user code. Its stack is for the log, not for answers.
type panicError struct{ text, stack string }

func (e *panicError) Error() string { return e.text }

// taken returns an error of the user as one that can be kept, printed and unwrapped. Nil stays nil.
func taken(err error) error {
	if err == nil {
		return nil
	}
	text := "its error has no text"
	if p := catchPanic(func() error { text = shortened(err.Error(), maxErrorText); return nil }); p != nil {
		text = fmt.Sprintf("its error, of type %T, cannot be printed: %v", err, p)
		if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.IsNil() {
			text = fmt.Sprintf("it returned a nil %T as an error, which counts as one: return nil itself", err)
		}
		err = nil
	}
	return &userError{err, text}
}

// call calls code of the user and returns its error; a panic is an error too.
func call(f func() error) error {
	err := catchPanic(f)
	if _, ok := err.(*panicError); ok {
		return err
	}
	return taken(err)
}

// catchPanic calls f and returns its error as it is, or a panicError.
func catchPanic(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			text := shortened(fmt.Sprintf("it panicked: %v", p), maxErrorText)
			err = &panicError{text, shortened(string(debug.Stack()), maxStack)}
		}
	}()
	return f()
}

// stackOf returns the stack of the panic that an error is about, or nothing.
func stackOf(err error) string {
	if p := (*panicError)(nil); errors.As(err, &p) {
		return p.stack
	}
	return ""
}

// shortened returns at most limit bytes of a text, and how many there were.
func shortened(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s… (%d bytes)", text[:end], len(text))
}

// oneLine returns a text of the user as a part of a line: bounded, and without control characters.
func oneLine(text string) string {
	printable := func(r rune) rune {
		if r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 {
			return ' '
		}
		return r
	}
	return shortened(strings.Map(printable, text), maxName)
}
