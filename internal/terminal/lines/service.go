package lines

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/proxy"
)

// lostPause is the shortest time between two Lost lines of a Service.
const lostPause = 10 * time.Second

// service is what was told about a Service.
type service struct {
	ref       string
	object    *corev1.Service
	addresses string
	seen      map[int32]portCount
	lost      map[string]uint64 // not told yet, by where
	told      time.Time
}

// portCount is what was counted of a Service port.
type portCount struct {
	failed  uint64
	lost    map[types.UID]uint64
	aborted map[types.UID]uint64
}

func (r *Reporter) onService(change watch.EventType, o *corev1.Service, now time.Time) {
	name := types.NamespacedName{Namespace: o.Namespace, Name: o.Name}
	if change == watch.Deleted {
		delete(r.services, name)
		return
	}
	s := r.services[name]
	if s == nil {
		s = &service{ref: ref("service", o.Namespace, o.Name), seen: map[int32]portCount{}, lost: map[string]uint64{}}
		r.services[name] = s
	}
	s.object = o
	if text := addressesOf(o); text != s.addresses && text != "" {
		s.addresses = text
		r.say(now, Started, s.ref, text)
	}
}

// addressesOf is where the ports of a Service are served; "" as long as one is not.
func addressesOf(o *corev1.Service) string {
	var parts []string
	for _, port := range o.Spec.Ports {
		if port.Protocol != "" && port.Protocol != corev1.ProtocolTCP {
			continue // nobody listens there, and a Warning says so
		}
		address := o.Annotations[manifest.AnnotationAddress+fmt.Sprint(port.Port)]
		if address == "" {
			return ""
		}
		parts = append(parts, fmt.Sprintf("%s at %s", strings.TrimSpace(printable.Line(port.Name)+" "+fmt.Sprint(port.Port)), printable.Line(address)))
	}
	return strings.Join(parts, ", ")
}

func (s *service) selects(pod *corev1.Pod) bool {
	return s.object != nil && len(s.object.Spec.Selector) > 0 && s.object.Namespace == pod.Namespace &&
		labels.SelectorFromSet(s.object.Spec.Selector).Matches(labels.Set(pod.Labels))
}

func (r *Reporter) servicesInOrder() []*service {
	return slices.SortedFunc(maps.Values(r.services), func(a, b *service) int { return strings.Compare(a.ref, b.ref) })
}

// Traffic takes what the proxy has counted so far.
func (r *Reporter) Traffic(state proxy.State, now time.Time) {
	for _, port := range state.Ports {
		s := r.services[port.Service]
		if s == nil {
			continue
		}
		count := portCount{port.Failed, map[types.UID]uint64{}, map[types.UID]uint64{}}
		before := s.seen[port.Port]
		// of what failed, what broke at a Pod is told with its name
		failed, broken := since(port.Failed, before.failed), uint64(0)
		for _, e := range port.Endpoints {
			count.lost[e.UID], count.aborted[e.UID] = e.Lost, e.Failures["aborted"]
			lost := since(e.Lost, before.lost[e.UID])
			broken += lost - min(lost, since(e.Failures["aborted"], before.aborted[e.UID]))
			s.add("reset by "+e.Pod.Name, lost)
		}
		where := "not answered"
		if len(port.Endpoints) == 0 {
			where = "no ready Pod"
		}
		s.add(where, failed-min(failed, broken))
		s.seen[port.Port] = count
	}
	r.tellLost(now)
}

// since is how much a counter has grown; one that is smaller has begun anew.
func since(now, before uint64) uint64 {
	if now < before {
		return now
	}
	return now - before
}

func (s *service) add(where string, n uint64) {
	if n > 0 {
		s.lost[where] += n
	}
}

// lostDue is when the next Lost line may come; zero if there is nothing to tell.
func (s *service) lostDue() time.Time {
	if len(s.lost) == 0 {
		return time.Time{}
	}
	return s.told.Add(lostPause)
}

// tellLost tells what was lost, of each Service not more often than every lostPause.
func (r *Reporter) tellLost(now time.Time) {
	for _, s := range r.servicesInOrder() {
		if due := s.lostDue(); !due.IsZero() && !due.After(now) {
			r.flushLost(s, now)
		}
	}
}

func (r *Reporter) flushLost(s *service, now time.Time) {
	var parts []string
	total := uint64(0)
	for _, where := range slices.Sorted(maps.Keys(s.lost)) {
		total += s.lost[where]
		parts = append(parts, fmt.Sprintf("%d %s", s.lost[where], where))
	}
	if total == 0 {
		return
	}
	r.say(now, Lost, s.ref, plural(int(total), "request")+": "+strings.Join(parts, ", "))
	r.lost += total
	s.told = now
	clear(s.lost)
}
