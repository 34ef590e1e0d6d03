package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// heartbeat is how often something is sent while nothing happens: else nobody notices that the
	// other side is gone.
	heartbeat = 15 * time.Second
	// sendTime is how long a browser may take to take what is sent.
	sendTime = 10 * time.Second
)

// stream is /ui/stream: what changes, as server-sent events. ?from=BOOT.SEQ, or the header
// Last-Event-ID, is the last one that the browser knows. Without one that is still known it gets
// "hello" with again set, and looks at its page anew. ?since=ms is the time of a page that has no
// record yet: it gets the attempts since then first.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	leave, ok := s.hub.join()
	if !ok {
		http.Error(w, "the run is being stopped", http.StatusServiceUnavailable)
		return
	}
	defer leave()
	from := r.Header.Get("Last-Event-ID")
	if from == "" {
		from = r.URL.Query().Get("from")
	}
	out := newEventWriter(w)
	seq, known := s.hub.resumes(from)
	now, messages := s.hub.now()
	if !known {
		seq = now
	}
	out.event(s.hub.boot, seq, "hello", hello{Boot: s.hub.boot, Time: s.opts.Now().UnixMilli(), Version: s.opts.Version, Again: from != "" && !known, Messages: messages})
	if since, err := strconv.ParseInt(r.URL.Query().Get("since"), 10, 64); err == nil && !known && from == "" {
		out.event(s.hub.boot, seq, "a", s.attemptsSince(time.UnixMilli(since)))
	}
	pulse := time.NewTicker(heartbeat)
	defer pulse.Stop()
	for out.err == nil {
		records, changed, ok := s.hub.since(seq)
		if !ok { // too slow
			seq, messages = s.hub.now()
			out.event(s.hub.boot, seq, "hello", hello{Boot: s.hub.boot, Time: s.opts.Now().UnixMilli(), Version: s.opts.Version, Again: true, Messages: messages})
			continue
		}
		for _, record := range records {
			out.raw(s.hub.boot, record.seq, record.kind, record.data)
			seq = record.seq
			if record.kind == "bye" {
				out.flush()
				return
			}
		}
		out.flush()
		select {
		case <-changed:
		case <-pulse.C:
			out.comment()
		case <-r.Context().Done():
			return
		}
	}
}

// attemptsSince are those after the time of a page: what happened before its stream was open. Its
// messages have numbers of its own.
func (s *Server) attemptsSince(since time.Time) attemptsRecord {
	record := attemptsRecord{At: s.opts.Now().UnixMilli(), Attempts: []int{}}
	for _, pod := range s.objects().pods {
		p := &podView{Pod: pod, UID: pod.UID}
		for _, summary := range s.opts.History.Probes(pod.UID) {
			spec := p.spec(summary.Key)
			if spec == nil || summary.Latest.Time.Before(since) {
				continue
			}
			for _, a := range s.opts.History.Attempts(pod.UID, summary.Key, 0) {
				if a.Time.Before(since) {
					continue
				}
				d, _ := s.opts.History.Detail(pod.UID, summary.Key, a.Seq)
				said, _ := message(probeType(summary.Key), spec, a, d)
				number := -len(record.Messages)/2 - 1
				record.Messages = append(record.Messages, number, said)
				record.Attempts = append(record.Attempts, s.numbers.number(pod.UID, summary.Key), code(a), int(a.Took.Microseconds()), a.Run, number)
			}
		}
	}
	return record
}

// hello is the first record.
type hello struct {
	Boot    string `json:"boot"`
	Time    int64  `json:"time"` // ms
	Version string `json:"version"`
	// Again says that the page has missed something and has to look anew.
	Again    bool  `json:"again,omitempty"`
	Messages []any `json:"m,omitempty"`
}

// resumes is the number in BOOT.SEQ, if the records after it are there.
func (h *hub) resumes(from string) (seq int, ok bool) {
	boot, number, found := strings.Cut(from, ".")
	n, err := strconv.Atoi(number)
	if !found || err != nil || boot != h.boot {
		return 0, false
	}
	_, _, ok = h.since(n)
	return n, ok
}

// eventWriter writes server-sent events. After an error it writes nothing.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error
}

func newEventWriter(w http.ResponseWriter) *eventWriter {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	out := &eventWriter{w: w, control: http.NewResponseController(w)}
	out.deadline()
	w.WriteHeader(http.StatusOK)
	return out
}

func (o *eventWriter) deadline() {
	_ = o.control.SetWriteDeadline(time.Now().Add(sendTime)) // without deadlines it is a test
}

func (o *eventWriter) event(boot string, seq int, kind string, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		o.err = err
		return
	}
	o.raw(boot, seq, kind, data)
}

func (o *eventWriter) raw(boot string, seq int, kind string, data []byte) {
	if o.err == nil {
		o.deadline()
		_, o.err = fmt.Fprintf(o.w, "id: %s.%d\nevent: %s\ndata: %s\n\n", boot, seq, kind, data)
	}
}

func (o *eventWriter) comment() {
	if o.err == nil {
		o.deadline()
		_, o.err = o.w.Write([]byte(":\n\n"))
	}
	o.flush()
}

func (o *eventWriter) flush() {
	if o.err == nil {
		o.err = o.control.Flush()
	}
}
