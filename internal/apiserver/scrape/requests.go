package scrape

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/probity-run/probity/internal/metrics"
)

// Request is what is counted of a request of the API. Each field is one of few words, whatever a
// client sends, so that nobody can make series without end.
type Request struct {
	// Verb is kube-apiserver's, such as LIST, WATCH or PATCH.
	Verb string
	// Group, Version, Resource and Subresource are empty for what is not about a resource.
	Group, Version, Resource, Subresource string
}

func (r Request) labels(more ...string) []string {
	return append([]string{r.Verb, r.Group, r.Version, r.Resource, r.Subresource}, more...)
}

func compareRequests(a, b Request) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Resource, b.Resource),
		cmp.Compare(a.Subresource, b.Subresource), cmp.Compare(a.Verb, b.Verb))
}

// answered is a request with the status that answered it.
type answered struct {
	Request
	code int
}

// Requests counts requests of the API. The zero value is ready; it is safe for concurrent use.
type Requests struct {
	mu     sync.Mutex // guards the rest
	counts map[answered]uint64
	open   map[Request]int
}

// Count counts a request that was answered.
func (c *Requests) Count(r Request, code int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[answered]uint64{}
	}
	c.counts[answered{r, code}]++
}

// Open counts a request that lasts, until it is closed, once.
func (c *Requests) Open(r Request) (closed func()) {
	add := func(n int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.open == nil {
			c.open = map[Request]int{}
		}
		c.open[r] += n
	}
	add(1)
	return func() { add(-1) }
}

// snapshot is what was counted so far.
func (c *Requests) snapshot() (counts map[answered]uint64, open map[Request]int) {
	if c == nil {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts), maps.Clone(c.open)
}

// requestFamilies are kube-apiserver's, with those of its labels that say something here.
func requestFamilies() []family {
	labels := []string{"verb", "group", "version", "resource", "subresource"}
	return []family{
		{metrics.Family{
			Name: "apiserver_request_total", Type: metrics.Counter, Help: "Requests of the Kubernetes API of the run, by verb, resource and status.", Labels: append(slices.Clone(labels), "code"),
		}, writeRequests},
		{metrics.Family{
			Name: "apiserver_longrunning_requests", Type: metrics.Gauge, Help: "Open watches, followed logs and streams of the Kubernetes API of the run.", Labels: labels,
		}, writeOpen},
	}
}

func writeRequests(w *metrics.Writer, f *facts) {
	counts, _ := f.Requests.snapshot()
	byRequest := func(a, b answered) int {
		return cmp.Or(compareRequests(a.Request, b.Request), cmp.Compare(a.code, b.code))
	}
	for _, r := range slices.SortedFunc(maps.Keys(counts), byRequest) {
		w.Sample(float64(counts[r]), r.labels(strconv.Itoa(r.code))...)
	}
}

func writeOpen(w *metrics.Writer, f *facts) {
	_, open := f.Requests.snapshot()
	for _, r := range slices.SortedFunc(maps.Keys(open), compareRequests) {
		w.Sample(float64(open[r]), r.labels()...)
	}
}
