package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/controller"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/store"
)

// input is what the manifests ask for, checked and ready to be started.
type input struct {
	set      *manifest.Set
	commands []string          // of the command line
	pods     []*corev1.Pod     // as they would be at a first start
	origins  []manifest.Object // of the Pods
}

// surroundings are what manifests are checked against.
type surroundings struct {
	stdin    io.Reader
	commands []string // of the command line
	environ  []string
	own      func(port int32) bool // says which ports our own Pods have; nil if there are none
}

// load reads manifests and makes sure that what they ask for can run here. Every error is bad
// input.
func load(here surroundings, paths []string) (*input, error) {
	set, err := manifest.Load(manifest.Options{Stdin: here.stdin}, paths...)
	if err != nil {
		return nil, badInput(listed(err))
	}
	in := &input{set: set, commands: here.commands}
	for _, object := range set.Objects {
		pods, err := controller.Pods(object.Resource)
		if err != nil {
			return nil, badInput(err)
		}
		for _, pod := range pods {
			if err := bind(pod, object.Position.File, in.commands); err != nil {
				return nil, badInput(err)
			}
			in.pods = append(in.pods, pod)
			in.origins = append(in.origins, object)
		}
	}
	if len(in.pods) == 0 {
		return nil, badInput(fmt.Errorf("cannot run %s: no Pod, Deployment, ReplicaSet or StatefulSet is in it", strings.Join(paths, " ")))
	}
	return in, in.check(here)
}

// listed puts several errors on lines of their own below a headline.
func listed(err error) error {
	lines := strings.Split(err.Error(), "\n")
	if len(lines) == 1 {
		return err
	}
	return fmt.Errorf("%d errors, nothing was started\n%s", len(lines), err)
}

// desired is an object as the store is to have it.
func (in *input) desired(object manifest.Object) (store.Object, error) {
	desired := object.Resource.DeepCopyObject().(store.Object)
	if pod, ok := desired.(*corev1.Pod); ok {
		return pod, bind(pod, object.Position.File, in.commands)
	}
	return desired, mark(desired, object.Position.File)
}

// mark notes on an object which file it comes from: a Pod's relative paths count from there.
func mark(object store.Object, file string) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return fmt.Errorf("cannot find the folder of %s: %w", file, err)
	}
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[node.AnnotationManifest] = path
	object.SetAnnotations(annotations)
	return nil
}

// bind binds a Pod to this node and tells it what only its manifest's place and the command line
// know.
func bind(pod *corev1.Pod, file string, commands []string) error {
	if err := mark(pod, file); err != nil {
		return err
	}
	for _, c := range commands {
		name, line, ok := strings.Cut(c, "=")
		if !ok || name == "" {
			return fmt.Errorf("cannot use --command %q: write it as container='./program --flag'", c)
		}
		pod.Annotations[manifest.AnnotationCommand+name] = line
	}
	pod.Spec.NodeName = node.Name
	// as the API server does
	pod.Status = corev1.PodStatus{Phase: corev1.PodPending, QOSClass: lifecycle.QOSClass(&pod.Spec)}
	return nil
}

// binder is bind for the Pods that a controller makes: owner is what a person wrote.
func binder(commands []string) func(pod *corev1.Pod, owner store.Object) error {
	return func(pod *corev1.Pod, owner store.Object) error {
		return bind(pod, owner.GetAnnotations()[node.AnnotationManifest], commands)
	}
}

// check finds what would keep the Pods from running here, once per object and field.
func (in *input) check(here surroundings) error {
	objects := manifestObjects{in.set}
	var problems manifest.Errors
	seen := map[string]bool{}
	for i, found := range node.Check(in.pods, node.CheckOptions{Objects: objects, Environ: here.environ, Own: here.own}) {
		origin := in.origins[i]
		_, _, prefix, _ := origin.Template()
		for _, p := range found {
			field := p.Field
			if prefix != "" {
				field = prefix + "." + field
			}
			e := &manifest.Error{Position: origin.PositionOf(field), Object: origin.Ref(), Field: field, Message: p.Message}
			if !seen[e.Error()] {
				seen[e.Error()] = true
				problems = append(problems, e)
			}
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return badInput(listed(problems))
}

// report says once what is not done here: kinds that are left alone, fields that are not applied,
// and the API server's warnings.
func (in *input) report(out io.Writer) error {
	var errs []error
	say := func(format string, args ...any) {
		_, err := fmt.Fprintf(out, format+"\n", args...)
		errs = append(errs, err)
	}
	for _, w := range in.set.Warnings {
		say("warning: %s", w)
	}
	for _, u := range in.set.Unknown {
		say("left alone: %s: %s %s (%s): Probity does not run this kind", u.Position, u.Kind, u.Name, u.APIVersion)
	}
	for _, n := range in.set.NotApplied {
		say("not applied here: %s", n)
	}
	return errors.Join(errs...)
}

// manifestObjects finds ConfigMaps and Secrets among what was read.
type manifestObjects struct{ set *manifest.Set }

// ConfigMap implements [node.Objects].
func (o manifestObjects) ConfigMap(namespace, name string) (*corev1.ConfigMap, bool) {
	return find[*corev1.ConfigMap](o.set, namespace, name)
}

// Secret implements [node.Objects].
func (o manifestObjects) Secret(namespace, name string) (*corev1.Secret, bool) {
	return find[*corev1.Secret](o.set, namespace, name)
}

func find[T manifest.Resource](set *manifest.Set, namespace, name string) (T, bool) {
	for _, o := range set.Objects {
		if r, ok := o.Resource.(T); ok && r.GetNamespace() == namespace && r.GetName() == name {
			return r, true
		}
	}
	var none T
	return none, false
}
