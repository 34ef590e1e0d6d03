package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"syscall"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/dashboard/markup"
)

// signals are those that a person can send, in the order in which they are offered.
func signals() []namedSignal {
	return []namedSignal{
		{"HUP", syscall.SIGHUP}, {"USR1", syscall.SIGUSR1}, {"USR2", syscall.SIGUSR2}, {"QUIT", syscall.SIGQUIT}, {"TERM", syscall.SIGTERM},
		{"STOP", syscall.SIGSTOP}, {"CONT", syscall.SIGCONT}, {"KILL", syscall.SIGKILL},
	}
}

type namedSignal struct {
	name   string
	signal syscall.Signal
}

// ask is GET /ui/pods/{namespace}/{name}/ask?do=...: the question before something is done, which
// names the consequence.
func (s *Server) ask(w http.ResponseWriter, r *http.Request) {
	snap := s.snapshot()
	p := snap.find(r.PathValue("namespace"), r.PathValue("name"))
	if p == nil {
		http.Error(w, "the Pod is gone", http.StatusNotFound)
		return
	}
	do := r.URL.Query().Get("do")
	if s.isCluster() && do == "signal" {
		http.Error(w, errOnlyRun.Error(), http.StatusConflict)
		return
	}
	var question item
	switch do {
	case "restart":
		question = p.restartQuestion(snap)
		if s.isCluster() {
			question = p.clusterRestart(snap)
		}
	case "delete":
		question = list{e("p", text("Delete this Pod? "+p.stays(snap)+" "+p.replacement()))}
	case "signal":
		running := p.running()
		if len(running) == 0 {
			http.Error(w, "no container of the Pod runs", http.StatusConflict)
			return
		}
		question = list{e("p", text("Send a signal to")), containerChoice(running), signalChoice()}
	default:
		http.NotFound(w, r)
		return
	}
	label := map[string]string{"restart": "Restart", "delete": "Delete", "signal": "Send"}[do]
	part := e("div.question", question, e("p.buttons",
		e("button.btn.main", at("type", "button"), at("data-do", do), at("data-sure", ""), text(label)),
		text(" "), e("button.btn", at("type", "button"), at("data-cancel", ""), text("Cancel"))))
	writeZipped(w, r, http.StatusOK, markup.Page(e("html", e("head", e("title", text("Question"))), e("body", part))))
}

// stays says what goes on without a Pod.
func (p *podView) stays(snap *snapshot) string {
	said := "Nothing else takes its requests meanwhile."
	if w := snap.objects.workloads[p.Workload]; w != nil {
		others := 0
		for _, other := range snap.pods {
			if other.Workload == p.Workload && other != p && other.Facts.Pod.DeletionTimestamp == nil && isReady(other.Pod) {
				others++
			}
		}
		said = fmt.Sprintf("%d of %s stay ready.", others, plural(w.desired, "replica"))
	}
	if p.InFlight > 0 {
		said += " " + plural(p.InFlight, "request") + " in flight."
	}
	return said
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (p *podView) replacement() string {
	if p.Workload.Kind == "" {
		return "No workload makes it again."
	}
	return p.Workload.Kind + " " + p.Workload.Name + " makes another one."
}

// restartQuestion asks which containers are to be restarted, if there are several.
func (p *podView) restartQuestion(snap *snapshot) item {
	names := draft.Workload{Resource: p.Pod}.Containers()
	if len(names) < 2 {
		return e("p", text("Restart the containers of this Pod? "+p.stays(snap)))
	}
	return list{e("p", text("Restart? "+p.stays(snap))), containerChoice(names, e("option", at("value", ""), text("all containers")))}
}

// running are the containers that have a process.
func (p *podView) running() (names []string) {
	for _, s := range slices.Concat(p.Pod.Status.InitContainerStatuses, p.Pod.Status.ContainerStatuses) {
		if s.State.Running != nil {
			names = append(names, s.Name)
		}
	}
	return names
}

// containerChoice offers containers, after others.
func containerChoice(names []string, options ...item) item {
	for _, name := range names {
		options = append(options, e("option", at("value", name), text(name)))
	}
	return e("label", text("container "), e("select", at("name", "container"), list(options)))
}

func signalChoice() item {
	var options list
	for _, s := range signals() {
		options = append(options, e("option", at("value", s.name), when(s.name == "TERM", at("selected", "")), text("SIG"+s.name+" ("+strconv.Itoa(int(s.signal))+")")))
	}
	return e("label", text("signal "), e("select", at("name", "signal"), options))
}

// do is POST /ui/pods/{namespace}/{name}/do: the answer is a sentence.
func (s *Server) do(w http.ResponseWriter, r *http.Request) {
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	said, err := s.act(r.Context(), namespace, name, r.FormValue("do"), r.FormValue("container"), r.FormValue("signal"))
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err != nil {
		w.WriteHeader(http.StatusConflict)
		said = err.Error()
	}
	_, _ = fmt.Fprint(w, said) // who has left does not get it
}

func (s *Server) act(ctx context.Context, namespace, name, do, container, signal string) (said string, err error) {
	if s.isCluster() {
		return s.actOnCluster(ctx, namespace, name, do)
	}
	run := s.opts.Runner
	switch do {
	case "restart":
		said = "Its containers are asked to end, and started again."
		if container != "" {
			said = "Container " + container + " is asked to end, and started again."
		}
		return said, run.RestartContainer(namespace, name, container)
	case "delete":
		return "It is asked to end.", run.DeletePod(namespace, name)
	case "out":
		return "No more requests are sent to it; its probes go on.", run.SetRotation(namespace, name, true)
	case "back":
		return "It gets requests again as soon as it is ready.", run.SetRotation(namespace, name, false)
	case "signal":
		for _, known := range signals() {
			if known.name == signal {
				return "SIG" + signal + " was sent.", run.Signal(namespace, name, container, known.signal)
			}
		}
		return "", fmt.Errorf("cannot send %q: it is none of the signals that are offered", signal)
	}
	return "", fmt.Errorf("cannot do %q: there is no such action", do)
}
