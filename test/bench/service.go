//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// service is what the Pods of the benchmark run: it answers /healthz with 200, and with 500 after a
// request of /break. It takes little memory, as there are many of them. If there is a file, it
// appends a line when it listens: when it began and when it listened, in nanoseconds of the wall
// clock.
func service(file string) error {
	began := time.Now()
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400)
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", os.Getenv("PORT")))
	if err != nil {
		return err
	}
	if file != "" {
		if err := (note{began, time.Now()}).append(file); err != nil {
			return err
		}
	}
	var broken atomic.Bool
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	http.HandleFunc("/break", func(http.ResponseWriter, *http.Request) { broken.Store(true) })
	return http.Serve(listener, nil)
}

// note is when an instance of the service began and when it listened.
type note struct{ began, listens time.Time }

// append adds the note to a file.
func (n note) append(file string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, n.began.UnixNano(), n.listens.UnixNano())
	return errors.Join(err, f.Close())
}

// readNotes reads the notes that instances have appended so far.
func readNotes(file string) (notes []note, err error) {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		var began, listens int64
		if _, err := fmt.Sscan(line, &began, &listens); err != nil {
			return nil, err
		}
		notes = append(notes, note{time.Unix(0, began), time.Unix(0, listens)})
	}
	return notes, nil
}
