package dashboard

import (
	"context"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/history"
)

const (
	// quickBeats is how often in a beat what is new of the Pods is told whose pages are open.
	quickBeats = 4
	// openTime is for how long a page counts as open after it has asked for figures. It asks every
	// ten seconds as long as somebody sees it.
	openTime = 15 * time.Second
)

// openPods are the Pods whose pages somebody looks at. The zero value has none.
type openPods struct {
	mu   sync.Mutex // guards till
	till map[types.NamespacedName]time.Time
}

func (o *openPods) open(pod types.NamespacedName, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.till == nil {
		o.till = map[types.NamespacedName]time.Time{}
	}
	o.till[pod] = now.Add(openTime)
}

// all are those that are open at an instant.
func (o *openPods) all(now time.Time) (pods []types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for pod, till := range o.till {
		if now.Before(till) {
			pods = append(pods, pod)
		} else {
			delete(o.till, pod)
		}
	}
	return pods
}

// podFigures is GET /ui/pods/{namespace}/{name}/figures: the sections of a Pod's page that change
// with each attempt. Who asks for them looks at the page.
func (s *Server) podFigures(w http.ResponseWriter, r *http.Request) {
	name := types.NamespacedName{Namespace: r.PathValue("namespace"), Name: r.PathValue("name")}
	p := s.podNow(name)
	if p == nil {
		http.Error(w, "the Pod is gone", http.StatusNotFound)
		return
	}
	s.open.open(name, s.opts.Now())
	parts(w, r, http.StatusOK, s.titleLine(p), s.probesCard(p), s.attemptsCard(p))
}

// podNow is one Pod as it is now; nil if there is none of that name.
func (s *Server) podNow(name types.NamespacedName) *podView {
	snap := &snapshot{now: s.opts.Now(), objects: s.objects()}
	if s.opts.Traffic != nil {
		snap.traffic = s.opts.Traffic()
	}
	s.look.mu.Lock()
	defer s.look.mu.Unlock()
	for _, pod := range snap.objects.pods {
		if pod.Namespace == name.Namespace && pod.Name == name.Name {
			return s.podView(snap, s.look, pod, snap.serving(), snap.inFlight()[pod.UID], nil)
		}
	}
	return nil
}

// tellOpen makes a record of the attempts of the Pods whose pages are open, between two beats.
func (w *hubWork) tellOpen(ctx context.Context) {
	s := w.hub.server
	now := s.opts.Now()
	record := attemptsRecord{At: now.UnixMilli(), Attempts: []int{}}
	for _, name := range s.open.all(now) {
		pod, ok := named[*corev1.Pod](s, name.Namespace, name.Name)
		if !ok {
			continue // it is gone
		}
		p := &podView{Pod: pod, UID: pod.UID}
		w.look.mu.Lock()
		for _, summary := range s.opts.History.Probes(pod.UID) {
			w.look.read(s.opts.History, pod.UID, summary, func(key history.Key, a history.Attempt) { w.attempt(&record, p, key, a) })
		}
		w.look.mu.Unlock()
	}
	if len(record.Attempts) > 0 && !s.isCluster() {
		w.hub.add(ctx, "a", record)
	}
}
