package drill

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/proxy"
)

const (
	// answerTime is how long a client waits for an answer.
	answerTime = 5 * time.Second
	// mostOpen bounds the requests in flight: what comes beyond it counts as failed at once.
	mostOpen = 2000
)

// sent is one request of the load, when it has ended.
type sent struct {
	at     time.Time
	took   time.Duration
	class  string
	client netip.AddrPort
	status int
	err    string
}

// load sends requests to one Service: so many a second, whether the answers come or not. Each has
// a connection of its own, as that of another client.
type load struct {
	address string
	specs   []RequestSpec
	every   atomic.Int64 // nanoseconds from one request to the next
	open    atomic.Int64
	running sync.WaitGroup

	mu   sync.Mutex // guards done
	done []sent
}

func newLoad(address string, specs []RequestSpec, rate float64) *load {
	l := &load{address: address, specs: specs}
	l.every.Store(int64(float64(time.Second) / rate))
	return l
}

// run sends requests until the context is done, and returns when the last one has ended.
func (l *load) run(ctx context.Context) {
	defer l.running.Wait()
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		l.begin(l.specs[i%len(l.specs)])
		next = next.Add(time.Duration(l.every.Load()))
		if behind := time.Since(next); behind > time.Second {
			next = time.Now() // this machine slept; what was not sent is not made up for
		}
		timer.Reset(time.Until(next))
	}
}

func (l *load) begin(spec RequestSpec) {
	if l.open.Add(1) > mostOpen {
		l.open.Add(-1)
		l.note(sent{at: time.Now(), class: spec.Name(), err: "too many requests are unanswered"})
		return
	}
	l.running.Go(func() {
		defer l.open.Add(-1)
		l.note(l.send(spec))
	})
}

func (l *load) send(spec RequestSpec) sent {
	s := sent{at: time.Now(), class: spec.Name()}
	if err := l.exchange(spec, &s); err != nil {
		s.status, s.err = 0, err.Error()
	}
	s.took = time.Since(s.at)
	return s
}

// exchange sends a request and reads the answer, in one goroutine over a connection of its own. The
// Transport of net/http has three more for each, which a drill would feel in its processor time.
func (l *load) exchange(spec RequestSpec, s *sent) error {
	req, err := http.NewRequest(spec.Method, "http://"+l.address+spec.Path, strings.NewReader(spec.Body))
	if err != nil {
		return err
	}
	req.Close = true
	maps.Copy(req.Header, spec.Header)
	conn, err := net.DialTimeout("tcp", l.address, answerTime)
	if err != nil {
		return err
	}
	defer conn.Close()
	if a, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		s.client = netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
	}
	if err := conn.SetDeadline(s.at.Add(answerTime)); err != nil {
		return err
	}
	unsent := req.Write(conn)
	res, err := readAnswer(bufio.NewReader(conn), req)
	if err != nil { // else it came before the server had all of the request, which is no error
		return cmp.Or(unsent, err)
	}
	s.status = res.StatusCode
	_, err = io.Copy(io.Discard, res.Body)
	return errors.Join(err, res.Body.Close())
}

// readAnswer reads an answer up to its body. What only announces one, such as 100 Continue, is
// passed over.
func readAnswer(from *bufio.Reader, req *http.Request) (*http.Response, error) {
	for {
		res, err := http.ReadResponse(from, req)
		if err != nil || res.StatusCode >= http.StatusOK || res.StatusCode == http.StatusSwitchingProtocols {
			return res, err
		}
	}
}

func (l *load) note(s sent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = append(l.done, s)
}

// take returns what has ended since the last time.
func (l *load) take() []sent {
	l.mu.Lock()
	defer l.mu.Unlock()
	done := l.done
	l.done = nil
	return done
}

// caller is who sent a request to a port of a Service. The address alone may be that of somebody
// else's connection to another Service at the same time.
type caller struct {
	service types.NamespacedName
	port    int32
	client  netip.AddrPort
}

// book has what the front says of requests, by who sent them.
type book struct {
	mu      sync.Mutex // guards entries
	entries map[caller]proxy.LedgerEntry
}

func (b *book) write(e proxy.LedgerEntry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.entries == nil {
		b.entries = map[caller]proxy.LedgerEntry{}
	}
	b.entries[caller{e.Service, e.Port, e.Client}] = e
}

// find finds the entry about a request.
func (b *book) find(c caller) (proxy.LedgerEntry, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.entries[c]
	return e, ok
}

// clear forgets what was written.
func (b *book) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.entries)
}

// forget drops what became of requests that nothing is said of.
func (d *drill) forget() {
	if d.load != nil {
		d.load.take()
	}
	d.book.clear()
}
