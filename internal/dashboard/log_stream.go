package dashboard

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/probity-run/probity/internal/history"
)

const (
	// logBeat is how often a log that is followed is read.
	logBeat = 250 * time.Millisecond
	// maxBeat is how many lines of a beat are shown; of more it says how many there were.
	maxBeat = 2000
	// maxFollowers is how many logs may be followed at a time. Browsers open six connections to a
	// server, and each of these is one.
	maxFollowers = 4
)

// logStream is /ui/logs/stream?after=µs&have=N: lines as they are printed, as server-sent events.
// Of those at that instant the first ones, have, are known.
func (s *Server) logStream(w http.ResponseWriter, r *http.Request) {
	select {
	case s.followers <- struct{}{}:
		defer func() { <-s.followers }()
	default:
		http.Error(w, "four logs are followed already: close one of their tabs", http.StatusTooManyRequests)
		return
	}
	q, err := readLogsQuery(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	micros, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64) // 0 is from the beginning
	have, _ := strconv.Atoi(r.URL.Query().Get("have"))
	out := newEventWriter(w)
	out.comment()
	f := &logFollower{server: s, query: q, after: time.UnixMicro(micros), have: have, open: map[string]*followed{}}
	defer f.close()
	ticker, quiet := time.NewTicker(logBeat), 0
	defer ticker.Stop()
	for out.err == nil {
		lines, dropped, err := f.read()
		switch {
		case err != nil:
			out.event("log", 0, "problem", err.Error())
			out.flush()
			return
		case len(lines) > 0:
			out.event("log", 0, "lines", map[string]any{"lines": lines, "dropped": dropped})
			out.flush()
			quiet = 0
		default:
			if quiet++; time.Duration(quiet)*logBeat >= heartbeat {
				out.comment()
				quiet = 0
			}
		}
		if !f.wait(r.Context(), ticker.C) {
			return
		}
	}
}

// logFollower reads what is new of several logs. It belongs to the goroutine of a request.
type logFollower struct {
	server *Server
	query  logsQuery
	after  time.Time
	have   int
	open   map[string]*followed
	probes map[string]*followedProbes // of a source
}

// followedProbes are those of a container, of this instance and later ones.
type followedProbes struct {
	*history.Cursor
	instance int
}

type followed struct {
	Log
	source *logSource
}

func (f *logFollower) close() {
	for _, log := range f.open {
		_ = log.Close() // it was only read
	}
}

// wait waits for the next beat; false means that nobody listens any more.
func (f *logFollower) wait(ctx context.Context, beat <-chan time.Time) bool {
	select {
	case <-beat:
		return true
	case <-ctx.Done():
		return false
	}
}

// read is what is new. Of more lines than can be read at a glance only the last ones come.
func (f *logFollower) read() (lines []logLine, dropped int, err error) {
	sources := f.server.sources(f.query)
	for _, source := range sources {
		key := source.key()
		log := f.open[key]
		if log != nil && log.source.instance != source.instance { // the last lines, a rule, then the next instance
			more, _, err := f.drain(log)
			if err != nil {
				return nil, 0, err
			}
			lines = append(append(lines, more...), f.server.rules(log.source)...)
			_ = log.Close() // it was only read
			log = nil
		}
		if log == nil {
			log = &followed{f.server.openLog(source), source}
			if err := seek(log, f.after); err != nil {
				return nil, 0, errors.Join(err, log.Close())
			}
			f.open[key] = log
		}
		more, missed, err := f.drain(log)
		if err != nil {
			return nil, 0, err
		}
		lines, dropped = append(lines, more...), dropped+missed
	}
	lines = append(lines, f.attempts(sources)...)
	merged(lines)
	lines = slices.DeleteFunc(lines, func(l logLine) bool {
		known := f.have > 0 && l.At == f.after.UnixMicro()
		if known {
			f.have--
		}
		return known
	})
	if n := len(lines) - maxBeat; n > 0 {
		lines, dropped = lines[n:], dropped+n
	}
	return lines, dropped, nil
}

// seek goes before the first entry at an instant.
func seek(log Log, at time.Time) error {
	if at.UnixMicro() <= 0 {
		return nil
	}
	if err := log.SeekEnd(); err != nil {
		return err
	}
	for {
		entry, err := log.Previous()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case entry.Time.Before(at):
			_, err := log.Next()
			return err
		}
	}
}

// drain reads a log to its end, or for as many bytes as are read in a beat.
func (f *logFollower) drain(log *followed) (lines []logLine, dropped int, err error) {
	for bytes := 0; bytes < maxRead/8; {
		entry, err := log.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		bytes += len(entry.Text) + 40
		if !f.query.filter.takes(entry) {
			continue
		}
		if len(lines) == 2*maxBeat {
			lines, dropped = append(lines[:0], lines[maxBeat:]...), dropped+maxBeat
		}
		lines = append(lines, lineOf(log.source, entry))
	}
	return lines, dropped, nil
}

// attempts are those that the probes have made since the last beat, by their numbers: the time of
// one is when it began, and it is told at its end. At first one that was under way after the last
// line that is known may be known, too.
func (f *logFollower) attempts(sources []*logSource) (lines []logLine) {
	if !f.query.probes {
		return nil
	}
	if f.probes == nil {
		f.probes = map[string]*followedProbes{}
	}
	for _, source := range sources {
		probes := f.probes[source.key()]
		first := probes == nil
		if first {
			probes = &followedProbes{f.server.opts.History.Cursor(source.pod.UID), source.instance}
			f.probes[source.key()] = probes
		}
		view := &podView{Pod: source.pod, UID: source.pod.UID}
		for _, found := range probes.Next() {
			a, spec := found.Attempt, view.spec(found.Key)
			switch {
			case found.Container != source.container || spec == nil || a.Instance < probes.instance:
			case f.query.back > 0 && a.Instance != source.instance:
			case first && !a.Time.Add(a.Took).After(f.after):
			default:
				lines = append(lines, probeLineOf(source, found.Key, spec, a))
			}
		}
	}
	return f.query.attempts(lines)
}
