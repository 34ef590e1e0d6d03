package service

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// ledger is a file per process that tells, in the order in which it happened and to the
// microsecond, what a router has to answer for: each line is the time since the epoch in
// microseconds and
//
//	start              the program began
//	listen             it accepts connections from now on
//	probe PATH ANSWER  it is about to answer a request without an id
//	begin METHOD ID    a request with an id has arrived
//	end ID             its answer was written
//	SIGTERM            the signal came
//	exit               the program is about to end by itself
//
// A line is there when the thing goes on, whatever becomes of the process. The zero value keeps
// none.
type ledger struct{ file *os.File }

func openLedger(dir string) (ledger, error) {
	file, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(os.Getpid())), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return ledger{file}, err
}

func (l ledger) note(format string, args ...any) {
	if l.file == nil {
		return
	}
	line := strconv.AppendInt(nil, time.Now().UnixMicro(), 10)
	line = fmt.Appendf(append(line, ' '), format+"\n", args...)
	if _, err := l.file.Write(line); err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
	}
}

// request notes a request and returns what to do when it was answered.
func (l ledger) request(r *http.Request, step string) (answered func()) {
	id := r.Header.Get("X-Request-Id")
	if id == "" {
		l.note("probe %s %s", r.URL.Path, step)
		return func() {}
	}
	l.note("begin %s %s", r.Method, id)
	return func() { l.note("end %s", id) }
}
