package dashboard

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/history"
)

const (
	// beat is how often what is new is told.
	beat = time.Second
	// keptRecords is how many records are kept for browsers that were gone for a moment.
	keptRecords = 480
	// maxMessages is how many messages are known by their numbers at a time.
	maxMessages = 2000
)

// hub makes the records of the stream while somebody has it open: then it has one goroutine, which
// it owns. Nobody waits for a browser: one that is slow finds less and has to begin anew.
type hub struct {
	server *Server
	boot   string // names this run of the server: numbers of records mean nothing in another one

	mu       sync.Mutex // guards what follows
	ended    bool
	open     int // streams
	stop     context.CancelFunc
	running  sync.WaitGroup
	records  []record
	seq      int
	changed  chan struct{} // closed by the next record
	messages map[string]int
	message  int // the last number
}

// record is one of the stream.
type record struct {
	seq  int
	kind string
	data []byte
}

func newHub(s *Server) *hub {
	return &hub{server: s, boot: strconv.FormatInt(s.started.UnixNano(), 36), changed: make(chan struct{})}
}

// join begins a stream: it makes sure that records are made until leave is called. It reports false
// when the server ends.
func (h *hub) join() (leave func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return nil, false
	}
	if h.open++; h.open == 1 {
		h.begin()
	}
	return sync.OnceFunc(h.leave), true
}

// begin starts the goroutine. The caller holds the lock.
func (h *hub) begin() {
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.records, h.messages = nil, map[string]int{}
	h.seq++ // who knows the last one has missed something
	h.running.Go(func() { h.run(ctx) })
}

func (h *hub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open--; h.open == 0 {
		h.stop()
	}
}

// isOpen reports whether a browser has a stream open.
func (h *hub) isOpen() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open > 0
}

// end says farewell and waits for the goroutine.
func (h *hub) end() {
	h.mu.Lock()
	h.ended = true
	if h.stop != nil {
		h.stop()
	}
	h.addLocked("bye", struct{}{})
	h.mu.Unlock()
	h.running.Wait()
}

// run makes records until the context is done. What it remembers is its own.
func (h *hub) run(ctx context.Context) {
	w := &hubWork{hub: h, look: newLook(), marks: map[types.UID]string{}, figures: map[string]map[string]string{}}
	w.tell(ctx, true)
	ticker := time.NewTicker(beat / quickBeats)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ticker.C:
			if n%quickBeats == 0 {
				w.tell(ctx, false)
			} else {
				w.tellOpen(ctx)
			}
		case <-ctx.Done():
			return
		}
	}
}

// add adds a record, unless the context is done: then others are made by another goroutine.
func (h *hub) add(ctx context.Context, kind string, value any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() == nil {
		h.addLocked(kind, value)
	}
}

func (h *hub) addLocked(kind string, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		h.server.opts.Logger.Error("Cannot tell browsers what is new", "error", err)
		return
	}
	h.seq++
	h.records = append(h.records, record{h.seq, kind, data})
	if n := len(h.records) - keptRecords; n > 0 {
		h.records = append([]record{}, h.records[n:]...)
	}
	close(h.changed)
	h.changed = make(chan struct{})
}

// since are the records after a number, and what is closed when there are others. ok is false if
// some in between are not there any more.
func (h *hub) since(seq int) (records []record, changed <-chan struct{}, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.records) == 0 {
		return nil, h.changed, seq == h.seq
	}
	if seq < h.records[0].seq-1 || seq > h.seq {
		return nil, h.changed, false
	}
	return h.records[len(h.records)-(h.seq-seq):], h.changed, true
}

// now is the number of the newest record, and the messages that are known by then.
func (h *hub) now() (seq int, messages []any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for said, number := range h.messages {
		messages = append(messages, number, said)
	}
	return h.seq, messages
}

// number is that of a message; known reports whether browsers have it.
func (h *hub) number(said string) (number int, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n, ok := h.messages[said]; ok {
		return n, true
	}
	if len(h.messages) >= maxMessages {
		clear(h.messages)
	}
	h.message++
	h.messages[said] = h.message
	return h.message, false
}

// hubWork is what the goroutine remembers.
type hubWork struct {
	hub     *hub
	look    *look
	marks   map[types.UID]string
	figures map[string]map[string]string
	events  int
	source  string
	drills  string
	counts  [2]int
}

// attemptsRecord has the attempts that are new: five numbers each. These are the probe, what became
// of it (see [code]), how long it took in µs, the counter, and the message.
type attemptsRecord struct {
	At       int64 `json:"t"` // ms
	Messages []any `json:"m,omitempty"`
	Attempts []int `json:"a"`
}

// podsRecord has the Pods that changed or are new, those that are gone, and how many there are.
type podsRecord struct {
	Changed   []types.UID `json:"changed,omitempty"`
	Gone      []types.UID `json:"gone,omitempty"`
	New       bool        `json:"new,omitempty"`
	All       int         `json:"all"`
	Attention int         `json:"attention"`
}

// tell makes the records of what is new. The first time nothing is: pages know it.
func (w *hubWork) tell(ctx context.Context, first bool) {
	s := w.hub.server
	attempts := attemptsRecord{At: s.opts.Now().UnixMilli(), Attempts: []int{}}
	snap := s.snapshotBy(w.look, func(p *podView, key history.Key, a history.Attempt) { w.attempt(&attempts, p, key, a) })
	if len(attempts.Attempts) > 0 && !s.isCluster() { // where rows come anew
		w.hub.add(ctx, "a", attempts)
	}
	if pods, is := w.pods(snap); is && !first {
		w.hub.add(ctx, "pods", pods)
	}
	if figures := w.services(snap); len(figures) > 0 && !first {
		w.hub.add(ctx, "svc", figures)
	}
	if n := count[*corev1.Event](s); n != w.events {
		if w.events = n; !first {
			w.hub.add(ctx, "ev", map[string]int{"all": n})
		}
	}
	if said := s.sourceText(); said != w.source {
		w.source = said
		w.hub.add(ctx, "src", map[string]string{"text": said})
	}
	if mark := s.drillsMark(); mark != w.drills {
		if w.drills = mark; !first {
			w.hub.add(ctx, "drill", struct{}{})
		}
	}
	gone := map[types.UID]bool{}
	for _, p := range snap.pods {
		gone[p.UID] = true
	}
	s.numbers.forget(func(uid types.UID) bool { return !gone[uid] })
}

// attempt adds an attempt to the record.
func (w *hubWork) attempt(r *attemptsRecord, p *podView, key history.Key, a history.Attempt) {
	spec := p.spec(key)
	if spec == nil {
		return
	}
	s := w.hub.server
	d, _ := s.opts.History.Detail(p.UID, key, a.Seq)
	said, _ := message(probeType(key), spec, a, d)
	number, known := w.hub.number(said)
	if !known {
		r.Messages = append(r.Messages, number, said)
	}
	r.Attempts = append(r.Attempts, s.numbers.number(p.UID, key), code(a), int(a.Took.Microseconds()), a.Run, number)
}

// code is what became of an attempt in one number: the outcome in three bits, then one for a
// failure of what has not come up yet, two for what was acted upon, one for what is counted.
func code(a history.Attempt) int {
	n := int(a.Outcome) | int(a.Result)<<4
	if a.NotYet {
		n |= 1 << 3
	}
	if a.Failing {
		n |= 1 << 6
	}
	return n
}

// pods is what changed of the Pods, if anything did.
func (w *hubWork) pods(snap *snapshot) (r podsRecord, is bool) {
	there := map[types.UID]bool{}
	for _, p := range snap.pods {
		there[p.UID] = true
		mark := w.hub.server.mark(p)
		before, known := w.marks[p.UID]
		w.marks[p.UID] = mark
		if mark != before {
			r.Changed, r.New = append(r.Changed, p.UID), r.New || !known
		}
	}
	for uid := range w.marks {
		if !there[uid] {
			r.Gone = append(r.Gone, uid)
			delete(w.marks, uid)
		}
	}
	r.All, r.Attention = len(snap.pods), snap.attend
	counts := [2]int{r.All, r.Attention}
	is = len(r.Changed)+len(r.Gone) > 0 || counts != w.counts
	w.counts = counts
	return r, is
}

// services are the figures that changed, by the Service's port.
func (w *hubWork) services(snap *snapshot) map[string]map[string]string {
	changed := map[string]map[string]string{}
	for _, v := range snap.services {
		figures := v.figures()
		if !maps.Equal(figures, w.figures[v.ID]) {
			changed[v.ID] = figures
			w.figures[v.ID] = figures
		}
	}
	return changed
}
