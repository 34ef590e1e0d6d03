package health

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type pointerError struct{ text string }

func (e *pointerError) Error() string { return e.text }

type rudeError struct{}

func (rudeError) Error() string { panic("no words") }

func nothing() *pointerError { return nil }

func TestTaken(t *testing.T) {
	if taken(nil) != nil {
		t.Error("nil became an error")
	}
	if err := taken(fmt.Errorf("ping: %w", errDown)); !errors.Is(err, errDown) || err.Error() != "ping: "+errDown.Error() {
		t.Errorf("%v", err)
	}
	const typed = "it returned a nil *health.pointerError as an error, which counts as one: return nil itself"
	for want, err := range map[string]error{
		typed: nothing(),
		"its error, of type health.rudeError, cannot be printed: it panicked: no words": rudeError{},
		strings.Repeat("x", maxErrorText):                                               errors.New(strings.Repeat("x", maxErrorText)),
		strings.Repeat("é", maxErrorText/2-1) + "x… (4001 bytes)":                       errors.New(strings.Repeat("é", maxErrorText/2-1) + "x" + strings.Repeat("é", (4000-maxErrorText)/2+1)),
	} {
		got := taken(err)
		if got.Error() != want {
			t.Errorf("%T: %q, want %q", err, got, want)
		}
		_ = errors.Is(got, errDown) // must not panic
	}
}

// Errors that cannot be printed, or are endless, spoil neither answers nor the log nor Run, by
// whatever door they come.
func TestErrorsOfUsers(t *testing.T) {
	long := errors.New(strings.Repeat("x", 1<<20))
	for name, err := range map[string]error{"typed nil": nothing(), "rude": rudeError{}, "long": long} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				h := New(Options{ShutdownDelay: -1, Reveal: FromAnywhere, Log: slog.New(slog.NewJSONHandler(&out, nil))})
				h.Ready("run", func(context.Context) error { return err })
				used := h.Ready("used", func(context.Context) error { return errDown })
				h.LiveLock("lock", rudeLock{err}, time.Second)
				h.Drain("end", func(context.Context) error { return err })
				end := begin(t, h)
				after(2 * time.Second)
				used.Report(err)
				for _, path := range []string{"/readyz?verbose", "/livez?verbose", "/readyz/run", "/readyz"} {
					for _, accept := range []string{"*/*", "application/json"} {
						r := httptest.NewRequest(http.MethodGet, path, nil)
						r.Header.Set("Accept", accept)
						w := httptest.NewRecorder()
						h.Handler().ServeHTTP(w, r)
						if w.Code != 503 || w.Body.Len() > 4*maxErrorText {
							t.Errorf("%s, %s: %d with %d bytes", path, accept, w.Code, w.Body.Len())
						}
					}
				}
				if got := used.Err().Error(); len(got) > 2*maxErrorText {
					t.Errorf("Err has %d bytes", len(got))
				}
				if err := end(); err == nil || len(err.Error()) > 2*maxErrorText {
					t.Errorf("Run returned an error of %d bytes", len(fmt.Sprint(err)))
				}
				if out.Len() > 200*maxErrorText || strings.Contains(out.String(), "!PANIC") {
					t.Errorf("%d bytes in the log", out.Len())
				}
			})
		})
	}
	h := New(Options{})
	h.Startup("weights").Fail(nothing())
	if err := h.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot start: weights: it returned a nil") {
		t.Errorf("Run returned %v", err)
	}
}

// rudeLock is a lock that panics with a value.
type rudeLock struct{ value any }

func (l rudeLock) Lock()   { panic(l.value) }
func (l rudeLock) Unlock() {}

// The stack of a panic is in the log, once for as long as it panics, and in no answer.
func TestStackOfPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		h := New(Options{ShutdownDelay: -1, Reveal: FromAnywhere, Log: slog.New(slog.NewJSONHandler(&out, nil))})
		calm := false
		h.Ready("failed before", func(context.Context) error {
			if !calm {
				calm = true
				return errDown
			}
			return panicInCheck()
		})
		h.Depends("pool", func(context.Context) error { return errDown }, CheckOptions{Pool: func() (int, int) { return panicInPool() }})
		h.LiveLock("lock", rudeLock{"no key"}, time.Second)
		h.Drain("queue", func(context.Context) error { return panicInDrain() })
		end := begin(t, h)
		after(time.Minute)
		for _, path := range []string{"/readyz?verbose", "/livez?verbose"} {
			if _, body := ask(h, path); strings.Contains(body, "goroutine") || strings.Contains(body, ".go:") {
				t.Errorf("a stack is in the answer:\n%s", body)
			}
		}
		err := end()
		if err == nil || strings.Contains(err.Error(), ".go:") {
			t.Errorf("Run returned %v", err)
		}
		for _, function := range []string{"panicInCheck", "panicInPool", "rudeLock.Lock", "panicInDrain"} {
			if n := linesWith(out.String(), function); n != 1 {
				t.Errorf("%d lines of the log tell of %s, want 1:\n%s", n, function, out.String())
			}
		}
	})
}

func linesWith(text, part string) (n int) {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

func panicInCheck() error     { panic("no driver") }
func panicInPool() (int, int) { panic("no pool") }
func panicInDrain() error     { panic("no queue") }

// What is made of the user's words stays a line, and short.
func TestWordsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		task := h.Startup("weights")
		begin(t, h)
		task.Phase("reading\x1b[31m\n" + strings.Repeat("x", 10_000))
		after(2 * time.Second)
		_, body := ask(h, "/startupz")
		if strings.Count(body, "\n") != 1 || strings.Contains(body, "\x1b") || len(body) > 2*maxName {
			t.Errorf("/startupz answers %d bytes: %.300q", len(body), body)
		}
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() { h.Startup("late") })
		}
		callers.Wait()
		if _, body := ask(h, "/startupz?verbose"); strings.Count(body, "! ") != maxMisuse {
			t.Errorf("%d mistakes are listed, want %d", strings.Count(body, "! "), maxMisuse)
		}
	})
	h := New(Options{})
	h.Ready(strings.Repeat("x", maxName+1), fine)
	if err := h.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "a name has at most 200 bytes") {
		t.Errorf("Run returned %.300v", err)
	}
}
