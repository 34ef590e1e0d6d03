package service

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// processLog is a file for each process, by which a test can judge how requests were routed to it.
// It says in the order of time, and to the microsecond, what happened. Each line is the time since
// the epoch in microseconds and one of
//
//	start              the program began
//	listen             it accepts connections from now on
//	probe PATH ANSWER  it is about to answer a request without an id
//	begin METHOD ID    a request with an id has arrived
//	end ID             its answer was written
//	SIGTERM            the signal came
//	exit               the program is about to end by itself
//
// A line is written before what it is about goes on, so it is there even if the process is killed.
// The zero value writes nothing.
type processLog struct{ file *os.File }

func openProcessLog(dir string) (processLog, error) {
	file, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(os.Getpid())), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return processLog{file}, err
}

func (l processLog) note(format string, args ...any) {
	if l.file == nil {
		return
	}
	line := strconv.AppendInt(nil, time.Now().UnixMicro(), 10)
	line = fmt.Appendf(append(line, ' '), format+"\n", args...)
	if _, err := l.file.Write(line); err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
	}
}

// request notes a request and returns what to call when it was answered.
func (l processLog) request(r *http.Request, step string) (answered func()) {
	id := r.Header.Get("X-Request-Id")
	if id == "" {
		l.note("probe %s %s", r.URL.Path, step)
		return func() {}
	}
	l.note("begin %s %s", r.Method, id)
	return func() { l.note("end %s", id) }
}
