package registry

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/store"
)

// TestDeleteObject: a client's options have the effect that they have on a cluster.
func TestDeleteObject(t *testing.T) {
	const kept, orphaned, deleted = "kept", "orphaned", "deleted"
	for name, test := range map[string]struct {
		opts  metav1.DeleteOptions
		gone  bool
		owned string // what becomes of a Pod that it owns, which runs
		want  string // error
	}{
		"nothing said": {gone: true, owned: deleted},
		"background":   {opts: metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}, gone: true, owned: deleted},
		"foreground":   {opts: metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationForeground)}, owned: deleted},
		"orphan":       {opts: metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationOrphan)}, gone: true, owned: orphaned},
		//lint:ignore SA1019 old clients say it so
		"orphan, of old": {opts: metav1.DeleteOptions{OrphanDependents: new(true)}, gone: true, owned: orphaned},
		//lint:ignore SA1019 old clients say it so
		"no orphan, of old": {opts: metav1.DeleteOptions{OrphanDependents: new(false)}, gone: true, owned: deleted},
		"dry run":           {opts: metav1.DeleteOptions{DryRun: []string{"All"}}, gone: true, owned: kept},
		"another UID": {
			opts:  metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: new(types.UID("x"))}},
			owned: kept, want: `Operation cannot be fulfilled on Deployment.apps "web": the UID in the precondition (x) does not match the UID in record (UID). The object might have been deleted and then recreated`,
		},
		"another version": {
			opts:  metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: new("1")}},
			owned: kept, want: `Operation cannot be fulfilled on Deployment.apps "web": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (VERSION). The object might have been modified`,
		},
		"an unknown propagation": {
			opts:  metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletionPropagation("Sideways"))},
			owned: kept, want: `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegistry(Options{NodeName: "here"})
			owner := made(t, r, deployment())
			made(t, r, pod(func(p *corev1.Pod) {
				p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: owner.Name, UID: owner.UID, BlockOwnerDeletion: new(true)}}
			}))
			last, gone, err := r.DeleteObject(owner, test.opts)
			if text := replaced(err, "UID", string(owner.UID), "VERSION", owner.ResourceVersion); text != test.want {
				t.Errorf("error %s, want %s", text, test.want)
			}
			if gone != test.gone || err == nil && last.GetUID() != owner.UID {
				t.Errorf("gone: %v, %+v, want %v", gone, last, test.gone)
			}
			web, err := store.Get[*corev1.Pod](r.opts.Store, "default", "web")
			if err != nil {
				t.Fatal(err)
			}
			got := kept
			if web.DeletionTimestamp != nil {
				got = deleted
			} else if len(web.OwnerReferences) == 0 {
				got = orphaned
			}
			if got != test.owned {
				t.Errorf("the Pod is %s, want it %s", got, test.owned)
			}
		})
	}
}

// TestGraceOfADeletion: a client's grace period is the Pod's then, and 0 removes it at once.
func TestGraceOfADeletion(t *testing.T) {
	r := newRegistry(Options{NodeName: "here"})
	made(t, r, pod())
	for _, step := range []struct {
		grace, want int64
		gone        bool
	}{{20, 20, false}, {30, 20, false}, {-5, 1, false}, {0, 0, true}} {
		last, gone, err := r.DeleteObject(pod(func(p *corev1.Pod) { p.Namespace = "default" }), metav1.DeleteOptions{GracePeriodSeconds: &step.grace})
		if err != nil || gone != step.gone || !gone && *last.GetDeletionGracePeriodSeconds() != step.want {
			t.Errorf("with %d seconds: gone: %v, %+v, %v", step.grace, gone, last, err)
		}
	}
}

// TestDeleteNamespaces: those that every cluster has stay, and others go when they are empty.
func TestDeleteNamespaces(t *testing.T) {
	r := newRegistry(Options{NodeName: "here"})
	for _, name := range []string{"kube-system", "kube-node-lease", "team", "full", "kubes"} {
		made(t, r, namespace(name))
	}
	made(t, r, pod(func(p *corev1.Pod) { p.Namespace = "full" }))
	for name, test := range map[string]struct {
		gone bool
		want string
	}{
		"default":         {false, `namespaces "default" is forbidden: this namespace may not be deleted`},
		"kube-system":     {false, `namespaces "kube-system" is forbidden: this namespace may not be deleted`},
		"kube-node-lease": {false, `namespaces "kube-node-lease" is forbidden: this namespace may not be deleted`},
		"kube-public":     {false, `namespaces "kube-public" not found`},
		"team":            {true, ""},
		"kubes":           {true, ""},
		"full":            {false, ""},
	} {
		last, gone, err := r.DeleteObject(namespace(name), metav1.DeleteOptions{})
		if text := replaced(err); text != test.want || gone != test.gone {
			t.Errorf("%s: gone: %v, %v, want %v, %q", name, gone, err, test.gone, test.want)
		}
		if test.want == "" && !gone && last.(*corev1.Namespace).Status.Phase != corev1.NamespaceTerminating {
			t.Errorf("%s: %+v, want it Terminating", name, last)
		}
	}
	if _, _, err := r.DeleteObject(pod(func(p *corev1.Pod) { p.Namespace = "default"; p.Name = "default" }), metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a Pod of that name: %v, want NotFound", err)
	}
	web := pod(func(p *corev1.Pod) { p.Namespace = "full" })
	if _, gone, err := r.DeleteObject(web, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); !gone || err != nil {
		t.Fatal(gone, err)
	}
	if _, err := store.Get[*corev1.Namespace](r.opts.Store, "", "full"); !apierrors.IsNotFound(err) {
		t.Errorf("the Namespace when it is empty: %v, want NotFound", err)
	}
}

// replaced is the text of an error, none if there is none, in which words stand for what differs
// each time: pairs of a word and what it stands for.
func replaced(err error, pairs ...string) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	for i := 0; i < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, pairs[i+1], pairs[i])
	}
	return text
}
