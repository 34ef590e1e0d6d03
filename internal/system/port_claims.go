package system

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/workload"
)

// obedienceName is the file in a state folder that says which programs listen where PORT says.
const obedienceName = "ports.json"

// obedienceNote is what is in that file: the declared ports whose program was seen to listen where
// PORT says, by the program (programKey).
type obedienceNote struct {
	Obeys map[string][]int32 `json:"obeys"`
}

// maxPrograms bounds that file: with more, what was noted is forgotten.
const maxPrograms = 1000

// portClaims know which port numbers the Pods of a run have or may take, which Services have to be
// careful with. They are safe for concurrent use.
type portClaims struct {
	registry *registry.Registry // knows which object a Pod comes from
	root     *os.Root
	patience time.Duration // for how long a number is left to a program at first
	notice   func(string)

	mu       sync.Mutex                 // guards the rest
	bySource map[string][]declaredPorts // the files that were applied together
	narrow   map[programPort]bool       // seen in this run at one address only
	noted    obedienceNote
	started  map[types.UID]*startedPod
}

// programPort is a declared port of a program (programKey).
type programPort struct {
	program string
	port    int32
}

// declaredPorts are the ports of one Pod of a manifest's object.
type declaredPorts struct {
	origin  workload.Origin
	program string    // programKey
	since   time.Time // when it was asked for first
	fixed   bool
	obeys   map[int32]bool // by port: whether the manifest shows that the program heeds PORT
}

func newPortClaims(r *registry.Registry, root *os.Root, patience time.Duration, notice func(string)) *portClaims {
	c := &portClaims{
		registry: r, root: root, patience: patience, notice: notice, bySource: map[string][]declaredPorts{},
		narrow: map[programPort]bool{}, started: map[types.UID]*startedPod{},
	}
	if err := readNote(root, obedienceName, &c.noted); err != nil {
		notice(fmt.Sprintf("probity: Services wait until programs have shown where they listen: %v", err))
	}
	if c.noted.Obeys == nil || len(c.noted.Obeys) > maxPrograms {
		c.noted.Obeys = map[string][]int32{}
	}
	return c
}

// set notes what a set of files asks for now. What it asked for before keeps its time, so that a
// file that is saved once more closes no Service.
func (c *portClaims) set(source string, m *manifests) {
	all := m.declaredPorts() // looks at files, so not with mu
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, d := range all {
		all[i].since = time.Now()
		for _, before := range c.bySource[source] {
			if before.origin == d.origin && before.program == d.program {
				all[i].since = before.since
			}
		}
	}
	c.bySource[source] = all
}

// now is what is claimed in the light of the Pods that there are, and for how long if nothing
// happens; 0 for ever.
func (c *portClaims) now(pods map[types.NamespacedName]*corev1.Pod) (map[int32]workload.PortClaim, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := expiry{now: time.Now()}
	var shown []workload.PodPorts
	existing := map[types.UID]bool{}
	for name, pod := range pods {
		existing[pod.UID] = true
		if workload.IsFinished(pod) {
			continue
		}
		seen := workload.PodPorts{Origin: c.originOf(pod), Name: name, Private: workload.PrivatePorts(pod), Bound: workload.BoundPorts(pod)}
		if st := c.started[pod.UID]; st != nil {
			st.existed, st.shown = true, slices.AppendSeq(slices.Clone(seen.Private), maps.Keys(seen.Bound))
			seen.Program = st.program
			c.rememberLocked(seen)
			seen.Unseen = c.unseenLocked(st, &next)
		}
		shown = append(shown, seen)
	}
	for uid, st := range c.started {
		switch {
		case existing[uid]:
		case st.existed:
			delete(c.started, uid)
		default: // the proxy has not heard of it yet
			shown = append(shown, workload.PodPorts{Origin: st.origin, Program: st.program, Unseen: c.unseenLocked(st, &next)})
		}
	}
	claims := workload.PortClaims(c.wishesLocked(&next), shown)
	return claims, next.wait
}

func (c *portClaims) wishesLocked(next *expiry) (wishes []workload.PortWish) {
	for _, declared := range c.bySource {
		for _, d := range declared {
			for port := range d.obeys {
				// once a Pod was started, its turn counts
				waits := !c.hasTurnLocked(d, port) && next.isBefore(d.since.Add(c.patience))
				wishes = append(wishes, workload.PortWish{
					Origin: d.origin, Program: d.program, Port: port, Fixed: d.fixed, Narrow: c.narrow[programPort{d.program, port}],
					Obeys: c.heedsLocked(d.origin, d.program, port), Waits: waits,
				})
			}
		}
	}
	return wishes
}

// heedsLocked reports whether it is known that a program listens where PORT says: the manifest
// shows it, or it was seen to.
func (c *portClaims) heedsLocked(origin workload.Origin, program string, port int32) bool {
	heeds := slices.Contains(c.noted.Obeys[program], port)
	for _, declared := range c.bySource {
		for _, d := range declared {
			if d.origin == origin && d.fixed {
				return false
			}
			heeds = heeds || d.origin == origin && d.obeys[port]
		}
	}
	return heeds
}

func (c *portClaims) originOf(pod *corev1.Pod) workload.Origin {
	kind, owner := c.registry.Workload(pod)
	return workload.Origin{Kind: kind, Name: types.NamespacedName{Namespace: pod.Namespace, Name: owner}}
}

// rememberLocked notes which programs listen where PORT says: the next Pod with the same program is
// taken to do so, too, in this run and the next one.
func (c *portClaims) rememberLocked(seen workload.PodPorts) {
	program, changed := seen.Program, false
	for _, port := range seen.Private {
		if !slices.Contains(c.noted.Obeys[program], port) {
			c.noted.Obeys[program] = append(c.noted.Obeys[program], port)
			changed = true
		}
	}
	for port, to := range seen.Bound {
		c.narrow[programPort{program, port}] = !to.IsUnspecified()
		changed = c.forgetLocked(program, port) || changed
	}
	if changed {
		c.writeLocked()
	}
}

// forgetLocked takes back that a program listens where PORT says, and reports whether that was
// noted.
func (c *portClaims) forgetLocked(program string, port int32) bool {
	i := slices.Index(c.noted.Obeys[program], port)
	if i < 0 {
		return false
	}
	c.noted.Obeys[program] = slices.Delete(c.noted.Obeys[program], i, i+1)
	return true
}

func (c *portClaims) writeLocked() {
	if err := writeNote(c.root, obedienceName, c.noted); err != nil {
		c.notice(fmt.Sprintf("probity: the next run has to find out again where programs listen: %v", err))
	}
}

// declaredPorts are the ports that the Pods of manifests declare.
func (m *manifests) declaredPorts() (all []declaredPorts) {
	replicas := map[manifest.Ref]int{}
	for _, origin := range m.origins {
		replicas[origin.Ref()]++
	}
	for i, pod := range m.pods {
		ref := m.origins[i].Ref()
		d := declaredPorts{
			origin:  workload.Origin{Kind: ref.Kind, Name: types.NamespacedName{Namespace: pod.Namespace, Name: ref.Name}},
			program: programKey(pod), fixed: manifest.FixedPorts(&pod.ObjectMeta, &pod.Spec), obeys: map[int32]bool{},
		}
		for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
			for _, p := range c.Ports {
				if isTCP(p) {
					// two copies of a program that did not heed PORT could not run at all
					d.obeys[p.ContainerPort] = d.obeys[p.ContainerPort] || replicas[ref] > 1 || readsPort(pod, &c, p)
				}
			}
		}
		all = append(all, d)
	}
	return all
}

// readsPort reports whether a manifest shows that the program of a port listens where the variables
// say that are about it.
func readsPort(pod *corev1.Pod, c *corev1.Container, port corev1.ContainerPort) bool {
	number := fmt.Sprint(port.ContainerPort)
	variables := []string{"$(PORT_" + number + ")"}
	if port.Name != "" {
		variables = append(variables, "$(PORT_"+strings.ToUpper(strings.ReplaceAll(port.Name, "-", "_"))+")")
	}
	if mainPort(c) == port.ContainerPort {
		variables = append(variables, "$(PORT)")
	}
	words := slices.Concat(c.Command, c.Args, []string{pod.Annotations[manifest.AnnotationCommand+c.Name]})
	for _, e := range c.Env {
		if e.Value == number && (e.Name == "PORT" || strings.HasPrefix(e.Name, "PORT_")) {
			return true
		}
		words = append(words, e.Value)
	}
	return slices.ContainsFunc(words, func(word string) bool {
		return slices.ContainsFunc(variables, func(v string) bool { return strings.Contains(word, v) })
	})
}

// mainPort is the port that PORT is about: the one named http, else the first.
func mainPort(c *corev1.Container) int32 {
	for _, p := range c.Ports {
		if p.Name == "http" {
			return p.ContainerPort
		}
	}
	if len(c.Ports) == 0 {
		return 0
	}
	return c.Ports[0].ContainerPort
}
