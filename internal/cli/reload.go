package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// source names a set of files, however often it is read.
func source(paths []string) string { return strings.Join(paths, "\x00") }

// reload reads the manifests of the command line again and says what that changed.
func (s *session) reload() {
	reply := s.apply(s.paths)
	changes := slices.DeleteFunc(reply.Lines, func(line string) bool { return strings.HasSuffix(line, " "+verbUnchanged) })
	if len(changes) > 0 {
		s.screen.say("probity: the manifests were read again: " + strings.Join(changes, ", "))
	}
	if reply.Error != "" {
		s.screen.say("probity: the manifests were read again: " + reply.Error)
	}
}

// apply brings the store to what manifests say. If anything is wrong with them, nothing is changed.
func (s *session) apply(paths []string) applyReply {
	if s.stopping {
		return applyReply{Error: "probity run is being stopped", Code: ExitFailed}
	}
	if slices.Equal(paths, s.absolute) {
		paths = s.paths
	}
	if slices.Contains(paths, "-") {
		return applyReply{Error: "standard input cannot be read again: run a file", Code: ExitUsage}
	}
	here := s.here
	here.own = s.ownPort
	in, err := load(here, paths)
	if err != nil {
		return applyReply{Error: "nothing was changed: " + err.Error(), Code: exitCode(err)}
	}
	s.remark(in, s.screen.say)
	lines, err := s.applier.apply(source(paths), in)
	if err != nil {
		return applyReply{Lines: lines, Error: err.Error(), Code: ExitFailed}
	}
	return applyReply{Lines: lines}
}

// remark says what is not done here, unless it was said before.
func (s *session) remark(in *input, say func(line string)) {
	var text strings.Builder
	_ = in.report(&text) // a Builder takes everything
	for line := range strings.Lines(text.String()) {
		if line = strings.TrimSuffix(line, "\n"); !s.remarked[line] {
			s.remarked[line] = true
			say(line)
		}
	}
}

func exitCode(err error) int {
	if exit, ok := errors.AsType[*exitError](err); ok {
		return exit.code
	}
	return ExitFailed
}

// ownPort says whether a Pod of this run has a port that is fixed.
func (s *session) ownPort(port int32) bool {
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	pair := fmt.Sprintf("%d:%[1]d", port)
	for _, pod := range pods {
		for name, value := range pod.Annotations {
			if strings.HasPrefix(name, manifest.AnnotationPrivatePorts) && slices.Contains(strings.Split(value, ","), pair) {
				return true
			}
		}
	}
	return false
}

// reserved are ports that Services leave to Pods: those that are fixed, and those that a single
// program might use although PORT tells it another one.
func (in *input) reserved() map[int]bool {
	ports := map[int]bool{}
	for i, pod := range in.pods {
		alone := !slices.ContainsFunc(in.origins[:i], func(o manifest.Object) bool { return o.Ref() == in.origins[i].Ref() }) &&
			!slices.ContainsFunc(in.origins[i+1:], func(o manifest.Object) bool { return o.Ref() == in.origins[i].Ref() })
		fixed := manifest.FixedPorts(&pod.ObjectMeta, &pod.Spec)
		for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
			for _, p := range c.Ports {
				if fixed || alone && !readsPort(&c) {
					ports[int(p.ContainerPort)] = true
				}
			}
		}
	}
	return ports
}

// readsPort says whether a manifest shows that the program listens where PORT says.
func readsPort(c *corev1.Container) bool {
	for _, word := range slices.Concat(c.Command, c.Args) {
		if strings.Contains(word, "$(PORT") {
			return true
		}
	}
	return slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool {
		return e.Name == "PORT" || strings.HasPrefix(e.Name, "PORT_") && slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
			return e.Value == strconv.Itoa(int(p.ContainerPort))
		})
	})
}
