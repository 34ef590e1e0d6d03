package compose

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// objects are those of a project, in the order of its services: a Deployment for each, or a Pod if
// another service waits for its end, and a Service if it has ports.
func (l *loader) objects(p *Project, names map[string]string) (objects []manifest.ConvertedObject) {
	for _, s := range p.Services {
		w := &writer{problems: l.problems, file: l.opts.File, liveness: l.opts.Liveness, usual: s.At, fields: map[*yaml.Node]string{}}
		if s.At.File != l.opts.File {
			w.usual = Place{Position: manifest.Position{File: l.opts.File, Line: 1, Column: 1}}
		}
		ref := manifest.Ref{Kind: "service", Name: s.Name}
		objects = append(objects, manifest.ConvertedObject{Root: w.workload(s, names), Fields: w.fields, Ref: ref})
		if service := w.service(s, names[s.Name]); service != nil {
			objects = append(objects, manifest.ConvertedObject{Root: service, Fields: w.fields, Ref: ref})
		}
	}
	return objects
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// names are those of the objects, by service. Kubernetes takes lower case, digits and dashes.
func (l *loader) names(p *Project) map[string]string {
	names, taken := map[string]string{}, map[string]string{}
	for _, s := range p.Services {
		name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(s.Name), "-"), "-")
		switch {
		case name == "": // ___, for example
			name = "s"
		case name[0] >= '0' && name[0] <= '9':
			name = "s-" + name
		}
		path := Path{Service: printable.Cut(s.Name)}
		if len(name) > 63 {
			l.fail(s.At, path, manifest.ReasonType, "the name is longer than the 63 characters that Kubernetes takes")
		}
		if other, again := taken[name]; again {
			l.fail(s.At, path, manifest.ReasonType, "would be called %s by Kubernetes, and so would %s: rename one", name, printable.Cut(other))
		}
		if name != s.Name {
			l.noteDifferent(s.At, path, "Docker would let others reach it as %s, Kubernetes will as %s: names there are lower case letters, digits and dashes", printable.Cut(s.Name), name)
		}
		names[s.Name], taken[name] = name, s.Name
	}
	return names
}

// workload is what runs a service.
func (w *writer) workload(s *Service, names map[string]string) *yaml.Node {
	name := names[s.Name]
	object, spec := w.mapping(s.At), w.mapping(s.At)
	pod := w.pod(s, name)
	meta := w.metadata(s, name, names)
	if s.completes {
		w.put(object, "apiVersion", w.text(s.At, "v1"))
		w.put(object, "kind", w.text(s.At, "Pod"))
		w.put(meta, "name", w.text(s.At, name))
		w.put(object, "metadata", meta)
		policy := "Never"
		if s.Restart == "on-failure" || s.Restart == "always" || s.Restart == "unless-stopped" {
			policy = "OnFailure"
		}
		w.put(pod, "restartPolicy", w.text(s.RestartAt, policy))
		w.put(object, "spec", pod)
		return object
	}
	w.restart(s)
	w.put(object, "apiVersion", w.text(s.At, "apps/v1"))
	w.put(object, "kind", w.text(s.At, "Deployment"))
	w.put(object, "metadata", w.field(s.At, "name", w.text(s.At, name)))
	if s.Replicas != nil {
		w.put(spec, "replicas", w.number(s.ReplicasAt, *s.Replicas))
	}
	w.put(spec, "selector", w.field(s.At, "matchLabels", w.field(s.At, "app", w.text(s.At, name))))
	w.strategy(spec, s)
	template := w.field(s.At, "metadata", meta)
	w.put(template, "spec", pod)
	w.put(spec, "template", template)
	w.put(object, "spec", spec)
	return object
}

// field is a mapping of one field.
func (w *writer) field(at Place, key string, n *yaml.Node) *yaml.Node {
	m := w.mapping(at)
	w.put(m, key, n)
	return m
}

// metadata is that of the Pods.
func (w *writer) metadata(s *Service, name string, names map[string]string) *yaml.Node {
	meta := w.mapping(s.At)
	w.put(meta, "labels", w.field(s.At, "app", w.text(s.At, name)))
	annotations := w.mapping(s.At)
	written := func(key string) bool {
		return slices.ContainsFunc(s.Annotations, func(v Variable) bool { return v.Name == key })
	}
	add := func(at Place, key, value string) {
		if !written(key) {
			w.put(annotations, key, w.text(at, value))
		}
	}
	command, _ := s.program()
	if s.Build && !isRemote(s.Context) && len(command) == 0 && len(s.Command) > 0 {
		add(s.Command[0].At, manifest.AnnotationCommand+name, shellLine(s.words()))
	}
	if s.Build && !isRemote(s.Context) {
		if folder, err := filepath.Rel(filepath.Dir(w.file), s.Context); err == nil && folder != "." {
			add(s.At, manifest.AnnotationDirectory+name, folder)
		} else if s.WorkingDir != "" {
			add(s.At, manifest.AnnotationDirectory+name, ".")
		}
	}
	if after := w.after(s, names); after != "" {
		add(s.DependsOn[0].At, manifest.AnnotationAfter, after)
	}
	for _, a := range s.Annotations {
		key := a.Name
		for _, prefix := range []string{manifest.AnnotationCommand, manifest.AnnotationDirectory} {
			if key == prefix+s.Name {
				key = prefix + name
			}
		}
		w.put(annotations, key, w.text(a.At, a.Value))
	}
	if len(annotations.Content) > 0 {
		w.put(meta, "annotations", annotations)
	}
	if (!s.Build || isRemote(s.Context)) && len(command) == 0 && !written(manifest.AnnotationCommand+s.Name) && !written(manifest.AnnotationCommand+name) {
		w.noteDifferent(s.At, Path{Service: s.Name}, "cannot run here, it is an image (%s): name the program that stands for it with labels: {%s%s: ./program --flag}, or with --command %s=./program",
			printable.Cut(cmp.Or(s.Image, s.Context)), manifest.AnnotationCommand, name, name)
	} else if s.Build && len(s.words()) == 0 && !written(manifest.AnnotationCommand+s.Name) && !written(manifest.AnnotationCommand+name) {
		w.noteDifferent(s.At, Path{Service: s.Name}, "cannot run here, its command is in the image that would be built: write command, which runs in %s", s.Context)
	}
	return meta
}

// after is the annotation that makes the Pods of a service wait for others.
func (w *writer) after(s *Service, names map[string]string) string {
	var list []string
	for _, dep := range s.DependsOn {
		list = append(list, names[dep.Service]+"="+strings.TrimPrefix(strings.TrimSuffix(dep.Condition, "_successfully"), "service_"))
	}
	if list != nil {
		at := s.DependsOn[0].At
		w.noteDifferent(at, Path{s.Name, "depends_on"}, "Docker would start it after %s; on a cluster nothing orders the starts of Pods, so let it wait and try again, or restart. probity run keeps the order", strings.Join(dependencies(s), ", "))
	}
	return strings.Join(list, ",")
}

func dependencies(s *Service) (names []string) {
	for _, dep := range s.DependsOn {
		names = append(names, dep.Service)
	}
	return names
}

func shellLine(words []string) string {
	var quoted []string
	for _, word := range words {
		quoted = append(quoted, printable.Shell(word))
	}
	return strings.Join(quoted, " ")
}

// restart says where restarting differs. A Deployment always restarts.
func (w *writer) restart(s *Service) {
	path, at := Path{Service: s.Name}, s.RestartAt
	if at.Line == 0 {
		at = s.At
	} else {
		path = path.field("restart")
	}
	switch {
	case s.Restart == "no" || s.Restart == "":
		w.noteDifferent(at, path, "Docker would leave it stopped once it ends, Kubernetes will start it again: a Deployment knows no other way")
	case s.Restart == "on-failure" && s.Retries > 0:
		w.noteDifferent(at, path, "Docker would start it again %d times, and only after a failure; Kubernetes will after each end and for ever, with a longer wait each time", s.Retries)
	case s.Restart == "on-failure":
		w.noteDifferent(at, path, "Docker would leave it stopped when it ends with 0, Kubernetes will start it again")
	}
}

// strategy says how replicas are replaced.
func (w *writer) strategy(spec *yaml.Node, s *Service) {
	if s.Update == nil {
		return
	}
	at := s.Update.At
	number := func(n int) *yaml.Node {
		if n == 0 {
			return w.text(at, "100%") // all at once
		}
		return w.number(at, n)
	}
	surge, unavailable := w.number(at, 0), number(s.Update.Parallelism)
	if s.Update.StartFirst {
		surge, unavailable = unavailable, surge
	}
	rolling := w.field(at, "maxSurge", surge)
	w.put(rolling, "maxUnavailable", unavailable)
	strategy := w.field(at, "type", w.text(at, "RollingUpdate"))
	w.put(strategy, "rollingUpdate", rolling)
	w.put(spec, "strategy", strategy)
}

// pod is the spec of the Pods.
func (w *writer) pod(s *Service, name string) *yaml.Node {
	pod := w.mapping(s.At)
	if s.StopAt.Line > 0 {
		w.put(pod, "terminationGracePeriodSeconds", w.number(s.StopAt, Seconds(s.StopPeriod)))
	} else {
		w.put(pod, "terminationGracePeriodSeconds", w.number(s.At, 10)) // Docker's
	}
	if host := s.Hostname; host.Text != "" && host.Text != name {
		w.noteDifferent(host.At, Path{s.Name, "hostname"}, "Docker would name the host %s, Kubernetes will name it after the Pod", printable.Cut(host.Text))
	}
	if s.StopSignal != "" { // which Kubernetes takes of a Pod alone that says its system
		w.put(pod, "os", w.field(s.SignalAt, "name", w.text(s.SignalAt, "linux")))
		w.noteDifferent(s.SignalAt, Path{s.Name, "stop_signal"}, "Docker would send %s, Kubernetes will where it has the feature gate ContainerStopSignals: a cluster without it drops the field, and sends what the image says, or SIGTERM", s.StopSignal)
	}
	w.put(pod, "containers", w.list(s.At, w.container(s, name)))
	return pod
}

func (w *writer) container(s *Service, name string) *yaml.Node {
	c := w.field(s.At, "name", w.text(s.At, name))
	image := s.Image
	if image == "" {
		image = name
		w.noteDifferent(s.At, Path{s.Name, "build"}, "Docker would build the image, a cluster has to be given it: it is called %s here; write image to call it otherwise", name)
	}
	w.put(c, "image", w.text(s.At, image))
	command, args := s.program()
	if len(command) > 0 {
		w.put(c, "command", w.words(command))
	} else if s.EmptyEntrypoint {
		w.noteDifferent(s.EntrypointAt, Path{s.Name, "entrypoint"}, "Docker would run the CMD of the image without its ENTRYPOINT, Kubernetes will run both: write command")
	}
	if len(args) > 0 {
		w.put(c, "args", w.words(args))
	}
	if s.WorkingDir != "" {
		w.put(c, "workingDir", w.text(s.DirAt, s.WorkingDir))
	}
	w.environment(c, s)
	w.containerPorts(c, s)
	w.resources(c, s)
	w.user(c, s)
	w.probes(c, s)
	if s.StopSignal != "" {
		w.put(c, "lifecycle", w.field(s.SignalAt, "stopSignal", w.text(s.SignalAt, s.StopSignal)))
	}
	return c
}

func (w *writer) environment(c *yaml.Node, s *Service) {
	var env []*yaml.Node
	for _, v := range s.Environment {
		one := w.field(v.At, "name", w.text(v.At, v.Name))
		w.put(one, "value", w.text(v.At, literal(v.Value)))
		env = append(env, one)
	}
	if env != nil {
		w.put(c, "env", w.list(s.Environment[0].At, env...))
	}
}

// user takes numbers: names are looked up in the image, which nobody sees here.
func (w *writer) user(c *yaml.Node, s *Service) {
	if s.User.Text == "" {
		return
	}
	user, group, hasGroup := strings.Cut(s.User.Text, ":")
	uid, err := strconv.Atoi(user)
	gid, groupErr := strconv.Atoi(group)
	if err != nil || hasGroup && groupErr != nil {
		w.noteNotApplied(s.User.At, Path{s.Name, "user"}, "Kubernetes takes a number for a user")
		return
	}
	context := w.field(s.User.At, "runAsUser", w.number(s.User.At, uid))
	if hasGroup {
		w.put(context, "runAsGroup", w.number(s.User.At, gid))
	}
	w.put(c, "securityContext", context)
}

func (w *writer) resources(c *yaml.Node, s *Service) {
	all := w.mapping(s.At)
	for _, list := range []struct {
		name string
		r    Resources
	}{{"limits", s.Limits}, {"requests", s.Requests}} {
		n := w.mapping(s.At)
		if list.r.CPU.Text != "" {
			w.put(n, "cpu", w.text(list.r.CPU.At, list.r.CPU.Text))
		}
		if list.r.Memory.Text != "" {
			w.put(n, "memory", w.text(list.r.Memory.At, list.r.Memory.Text))
		}
		if len(n.Content) > 0 {
			w.put(all, list.name, n)
		}
	}
	if len(all.Content) > 0 {
		w.put(c, "resources", all)
	}
}

func protocolOf(p Port) string { return strings.ToUpper(p.Protocol) }

func portName(p Port, port int) string { return fmt.Sprintf("%s-%d", p.Protocol, port) }
