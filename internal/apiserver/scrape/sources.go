package scrape

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
)

// Sources are what a scrape reads.
type Sources struct {
	// Store has the Pods and what makes them. Required.
	Store *store.Store
	// History has the counters of probes. The zero value has none.
	History history.Reader
	// Traffic is what the proxy does. Nil: there is none.
	Traffic func() proxy.State
	// Requests are those of the API. Nil: they are not counted.
	Requests *Requests
	// Version of Probity.
	Version string
}

// facts are the sources at the time of one scrape.
type facts struct {
	Sources
	pods  []*corev1.Pod
	ports []proxy.PortState
}

func (s Sources) facts() *facts {
	f := &facts{Sources: s}
	f.pods, _ = store.List[*corev1.Pod](s.Store, store.Selector{})
	if s.Traffic != nil {
		f.ports = s.Traffic().Ports
	}
	return f
}
