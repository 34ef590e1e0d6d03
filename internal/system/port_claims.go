package system

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

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
	notice   func(string)

	mu       sync.Mutex                 // guards the rest
	bySource map[string][]declaredPorts // the files that were applied together
	// seen in this run, by origin and port; the other fields are zero
	obeyed, narrow map[workload.PortWish]bool
	noted          obedienceNote
}

// declaredPorts are the ports of one Pod of a manifest's object.
type declaredPorts struct {
	origin  workload.Origin
	program string // programKey
	fixed   bool
	obeys   map[int32]bool // by port: whether the manifest shows that the program heeds PORT
}

func newPortClaims(r *registry.Registry, root *os.Root, notice func(string)) *portClaims {
	c := &portClaims{
		registry: r, root: root, notice: notice, bySource: map[string][]declaredPorts{},
		obeyed: map[workload.PortWish]bool{}, narrow: map[workload.PortWish]bool{},
	}
	if err := readNote(root, obedienceName, &c.noted); err != nil {
		notice(fmt.Sprintf("probity: Services wait until programs have shown where they listen: %v", err))
	}
	if c.noted.Obeys == nil || len(c.noted.Obeys) > maxPrograms {
		c.noted.Obeys = map[string][]int32{}
	}
	return c
}

// set notes what a set of files asks for now.
func (c *portClaims) set(source string, m *manifests) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bySource[source] = m.declaredPorts()
}

// now is what is claimed in the light of the Pods that there are.
func (c *portClaims) now(pods map[types.NamespacedName]*corev1.Pod) map[int32]workload.PortClaim {
	c.mu.Lock()
	defer c.mu.Unlock()
	var shown []workload.PodPorts
	for name, pod := range pods {
		if workload.IsFinished(pod) {
			continue
		}
		kind, owner := c.registry.Workload(pod)
		origin := workload.Origin{Kind: kind, Name: types.NamespacedName{Namespace: pod.Namespace, Name: owner}}
		seen := workload.PodPorts{Origin: origin, Name: name, Private: workload.PrivatePorts(pod), Bound: workload.BoundPorts(pod)}
		c.rememberLocked(pod, seen)
		shown = append(shown, seen)
	}
	var wishes []workload.PortWish
	for _, declared := range c.bySource {
		for _, d := range declared {
			for port, obeys := range d.obeys {
				key := workload.PortWish{Origin: d.origin, Port: port}
				wishes = append(wishes, workload.PortWish{
					Origin: d.origin, Port: port, Fixed: d.fixed, Narrow: c.narrow[key],
					Obeys: !d.fixed && (obeys || c.obeyed[key] || slices.Contains(c.noted.Obeys[d.program], port)),
				})
			}
		}
	}
	return workload.PortClaims(wishes, shown)
}

// rememberLocked notes which programs listen where PORT says: the next Pod of the same object is
// taken to do so, too, and so is the same program in the next run.
func (c *portClaims) rememberLocked(pod *corev1.Pod, seen workload.PodPorts) {
	changed := false
	for _, port := range seen.Private {
		if wish := (workload.PortWish{Origin: seen.Origin, Port: port}); !c.obeyed[wish] {
			c.obeyed[wish] = true
			program := programKey(pod)
			if !slices.Contains(c.noted.Obeys[program], port) {
				c.noted.Obeys[program] = append(c.noted.Obeys[program], port)
				changed = true
			}
		}
	}
	for port, to := range seen.Bound {
		wish, program := workload.PortWish{Origin: seen.Origin, Port: port}, programKey(pod)
		delete(c.obeyed, wish)
		c.narrow[wish] = !to.IsUnspecified()
		if i := slices.Index(c.noted.Obeys[program], port); i >= 0 {
			c.noted.Obeys[program] = slices.Delete(c.noted.Obeys[program], i, i+1)
			changed = true
		}
	}
	if !changed {
		return
	}
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
				if p.Protocol == corev1.ProtocolTCP || p.Protocol == "" {
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
