package trace

import (
	"fmt"
	"regexp"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// names replaces what chance gave by what everyone would say.
type names struct {
	player, image string
	revisions     map[string]string // of ReplicaSets: "web-5d8f7c" is "web-r1"
	counts        map[string]int    // ReplicaSets of a Deployment
	pods          map[string]string // "web-5d8f7c-x2x4z" belongs to "web-r1"
	ports         map[string]string // private ports: "45123" is "8080"
}

func newNames(r *Recorded) *names {
	n := &names{player: r.Player, image: r.Image, revisions: map[string]string{}, counts: map[string]int{}, pods: map[string]string{}, ports: map[string]string{}}
	for _, o := range r.Observations {
		if set, ok := o.Object.(*appsv1.ReplicaSet); ok {
			n.learnRevision(set)
		}
	}
	for _, o := range r.Observations {
		if pod, ok := o.Object.(*corev1.Pod); ok {
			n.learnPod(pod)
		}
	}
	return n
}

func (n *names) learnRevision(set *appsv1.ReplicaSet) {
	if _, known := n.revisions[set.Name]; known || len(set.OwnerReferences) == 0 {
		return
	}
	owner := set.OwnerReferences[0].Name
	n.counts[owner]++
	n.revisions[set.Name] = fmt.Sprintf("%s-r%d", owner, n.counts[owner])
}

// privatePorts is the annotation by which Probity tells which ports stand for the declared ones.
const privatePorts = "probity.run/private-ports."

func (n *names) learnPod(pod *corev1.Pod) {
	if len(pod.OwnerReferences) > 0 {
		n.pods[pod.Name] = n.revisions[pod.OwnerReferences[0].Name]
	}
	for key, value := range pod.Annotations {
		if !strings.HasPrefix(key, privatePorts) {
			continue
		}
		for pair := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ' ' }) {
			declared, private, _ := strings.Cut(pair, ":")
			n.ports[private] = declared
		}
	}
}

var (
	uid     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	address = regexp.MustCompile(`(?:10\.244\.0\.[0-9]+|127\.[0-9]+\.[0-9]+\.[0-9]+)(?::([0-9]+))?(->)?`)
	agent   = regexp.MustCompile(`kube-probe/1\.[0-9]+\+?`)
	grpc    = regexp.MustCompile(`grpc-go/[0-9.]+`)
	podRef  = regexp.MustCompile(`([a-z0-9-]+)_[a-z0-9-]+\(UID\)`)
	// What a container runtime says of a command that it cannot start, and what an operating system
	// does.
	runtimeText = regexp.MustCompile(`(?s)(resulted in unknown state: )(?:rpc error: .* failed to exec in container: failed to start|cannot start) .*`)
)

// text makes a message comparable.
func (n *names) text(message string) string {
	message = strings.ReplaceAll(message, n.image, "IMAGE") // first: it may contain the other
	message = strings.ReplaceAll(message, n.player, "PLAYER")
	message = uid.ReplaceAllString(message, "UID")
	message = podRef.ReplaceAllString(message, "${1}_NAMESPACE(UID)")
	message = address.ReplaceAllStringFunc(message, n.address)
	message = agent.ReplaceAllString(message, "kube-probe/VERSION")
	message = grpc.ReplaceAllString(message, "grpc-go/VERSION")
	for name, revision := range n.pods {
		message = strings.ReplaceAll(message, name, revision+"-POD")
	}
	for name, revision := range n.revisions {
		message = strings.ReplaceAll(message, name, revision)
	}
	return runtimeText.ReplaceAllString(message, "${1}CANNOT START")
}

// address names a host and a port; a port that nobody declared is that of a client.
func (n *names) address(text string) string {
	groups := address.FindStringSubmatch(text)
	port, arrow := groups[1], groups[2]
	switch {
	case port == "":
		return "HOST" + arrow
	case arrow != "":
		return "HOST:CLIENT->"
	case n.ports[port] != "":
		return "HOST:" + n.ports[port]
	}
	return "HOST:" + port
}
