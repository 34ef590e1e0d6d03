package dashboard

import (
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/process"
)

// Cluster is a cluster that is shown in the place of a run. It tells less: its kubelets report no
// attempt of a probe that has succeeded, and of failures only what Events say. All of it is safe
// for concurrent use.
type Cluster interface {
	Objects
	Writer
	// OpenLog opens what an instance of a container has printed; instance counts the restarts
	// before. Who reads it closes it.
	OpenLog(pod *corev1.Pod, container string, instance int) Log
	// RestartWorkload has a workload roll its Pods; DeletePod deletes one.
	RestartWorkload(ctx context.Context, kind, namespace, name string) error
	DeletePod(ctx context.Context, namespace, name string) error
	// Counted is how often the probes of a Pod were asked, as its kubelet counts that. It does not
	// wait for the kubelet: what is not known yet may come with a later call. Nil: nothing is
	// known.
	Counted(pod *corev1.Pod) map[history.Key]Count
	// State is how the cluster is seen at the moment.
	State() ClusterState
}

// Count is how often a probe was asked since the Pod or its kubelet began.
type Count struct {
	Failed, Succeeded int
	// At is when the kubelet said so.
	At time.Time
}

// ClusterState is how a cluster is seen.
type ClusterState struct {
	// Kubectl is how kubectl asks the same cluster: "kubectl --context prod".
	Kubectl string
	// Namespaces are those that are shown; empty for all.
	Namespaces []string
	// Since is since when the server is not heard; zero if it is. What is shown is of then. Problem
	// is why.
	Since   time.Time
	Problem string
	// NotSeen are the kinds that cannot be read, each with the reason: "events (forbidden)".
	NotSeen []string
}

// Log is what an instance of a container has printed, as [process.LogReader] reads it. It belongs
// to one goroutine.
type Log interface {
	// Next is the entry behind the place, and goes behind it. The error is io.EOF if there is none
	// yet; later there may be.
	Next() (process.LogEntry, error)
	// Previous is the entry before the place, and goes before it; io.EOF if there is none.
	Previous() (process.LogEntry, error)
	// SeekEnd goes behind the last entry.
	SeekEnd() error
	Close() error
}

// openLog opens the log of a source.
func (s *Server) openLog(source *logSource) Log {
	if s.opts.Cluster != nil {
		return s.opts.Cluster.OpenLog(source.pod, source.container, source.instance)
	}
	return s.opts.Runner.OpenLog(source.pod, source.container, source.instance)
}

// isCluster reports whether it is a cluster that is shown.
func (s *Server) isCluster() bool { return s.opts.Cluster != nil }

// sees reports whether the objects of a kind, by its plural, can be read.
func (s *Server) sees(plural string) bool {
	return s.opts.Cluster == nil || !s.opts.Cluster.State().hides(plural)
}

func (c ClusterState) hides(plural string) bool {
	for _, kind := range c.NotSeen {
		if name, _, _ := strings.Cut(kind, " "); name == plural {
			return true
		}
	}
	return false
}

// seenNamespaces are those in which something can be made: the one that is shown, or of all those
// in which something was seen.
func (s *Server) seenNamespaces() (names []string) {
	if one := s.opts.Cluster.State().Namespaces; len(one) > 0 {
		return one
	}
	for _, pod := range s.reads.List((*corev1.Pod)(nil)) {
		names = append(names, pod.GetNamespace())
	}
	names = append(names, corev1.NamespaceDefault)
	slices.Sort(names)
	return slices.Compact(names)
}

// firstNamespace is where something is made if nobody says otherwise.
func (s *Server) firstNamespace() string {
	if s.isCluster() && len(s.opts.Cluster.State().Namespaces) > 0 {
		return s.opts.Cluster.State().Namespaces[0]
	}
	return corev1.NamespaceDefault
}

// noneOf says why no object of a kind of a cluster is shown, by its plural and its name.
func (s *Server) noneOf(plural, kind string) string {
	state := s.opts.Cluster.State()
	where := "in namespace " + strings.Join(state.Namespaces, ", ")
	if len(state.Namespaces) == 0 {
		where = "in any namespace"
	}
	if state.hides(plural) {
		return "The " + kind + "s " + where + " may not be read: that there are none is not said."
	}
	return "There is no " + kind + " " + where + "."
}

// sourceText says what is not seen of a cluster; "" if nothing is.
func (s *Server) sourceText() string {
	if s.opts.Cluster == nil {
		return ""
	}
	state := s.opts.Cluster.State()
	var said []string
	if !state.Since.IsZero() {
		said = append(said, "The cluster is not heard since "+state.Since.Local().Format(time.TimeOnly)+": what is shown is of then. "+oneLine(state.Problem))
	}
	if len(state.NotSeen) > 0 {
		said = append(said, "Not seen: "+strings.Join(state.NotSeen, ", "))
	}
	return strings.Join(said, " · ")
}

// source is a banner for what is not seen. Scripts bring it up to date.
func (s *Server) source() item {
	if s.opts.Cluster == nil {
		return nil
	}
	said := s.sourceText()
	return e("div.banners", at("id", "source"), at("role", "status"), at("aria-live", "polite"), when(said != "", e("div.banner", e("span", text(said)))))
}
