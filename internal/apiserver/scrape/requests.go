package scrape

import (
	"cmp"
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

// tally is a number of requests.
type tally struct {
	answered
	n float64
}

// compareTallies orders them by what they are about. They are pointers because a sort of each other
// type is 14 KB of the program.
func compareTallies(a, b *tally) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Resource, b.Resource),
		cmp.Compare(a.Subresource, b.Subresource), cmp.Compare(a.Verb, b.Verb), cmp.Compare(a.code, b.code))
}

// ended are the requests that were answered, in order.
func (c *Requests) ended() (tallies []*tally) {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for r, n := range c.counts {
		tallies = append(tallies, &tally{r, float64(n)})
	}
	slices.SortFunc(tallies, compareTallies)
	return tallies
}

// lasting are those that are open, in order. What was open once is still told of.
func (c *Requests) lasting() (tallies []*tally) {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for r, n := range c.open {
		tallies = append(tallies, &tally{answered{Request: r}, float64(n)})
	}
	slices.SortFunc(tallies, compareTallies)
	return tallies
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
	for _, t := range f.Requests.ended() {
		w.Sample(t.n, t.labels(strconv.Itoa(t.code))...)
	}
}

func writeOpen(w *metrics.Writer, f *facts) {
	for _, t := range f.Requests.lasting() {
		w.Sample(t.n, t.labels()...)
	}
}
