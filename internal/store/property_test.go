package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
)

// Several goroutines write at random. What every watch tells, from whatever start and through
// whatever selector, adds up to the list in the end.
func TestWatchesAddUpToTheList(t *testing.T) {
	s := newStore(t, Options{History: 100_000})
	create(t, s, newPod("first"))
	selectors := map[string]Selector{
		"all":       {},
		"namespace": {Namespace: "default"},
		"label":     {Labels: labels.SelectorFromSet(labels.Set{"app": "1"})},
	}
	ctx, done := context.WithCancel(t.Context())
	var writers, readers sync.WaitGroup
	for name, sel := range selectors {
		listed, version := List[*corev1.Pod](s, sel)
		w := must[*Watch](t)(s.Watch(WatchOptions{From: version, Kinds: []Object{&corev1.Pod{}}, Selector: sel}))
		readers.Go(func() { follow(t, ctx, s, name, sel, w, versionsOf(listed)) })
		readers.Go(func() {
			// begins some time among the writes
			w, err := s.Watch(WatchOptions{Kinds: []Object{&corev1.Pod{}}, Selector: sel})
			if err != nil {
				t.Error(err)
				return
			}
			follow(t, ctx, s, name+" from nowhere", sel, w, map[string]string{})
		})
	}
	for seed := range uint64(4) {
		writers.Go(func() { scribble(t, s, rand.New(rand.NewPCG(seed, 1)), 300) })
	}
	writers.Wait()
	done()
	readers.Wait()
}

// follow applies a watch to what was listed before, and compares the sum with the list when the
// writers are done.
func follow(t *testing.T, ctx context.Context, s *Store, name string, sel Selector, w *Watch, state map[string]string) {
	var version uint64
	for {
		c, err := w.Next(ctx)
		if errors.Is(err, context.Canceled) {
			break
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		key := keyOf(c.Object).String()
		_, known := state[key]
		if known == (c.Type == Added) {
			t.Errorf("%s: %s of %s, which was known: %v", name, c.Type, key, known)
		}
		if v := versionOf(c.Object); v <= version {
			t.Errorf("%s: version %d after %d", name, v, version)
		} else {
			version = v
		}
		if state[key] = c.Object.GetResourceVersion(); c.Type == Deleted {
			delete(state, key)
		}
	}
	pods, _ := List[*corev1.Pod](s, sel)
	if diff := cmp.Diff(versionsOf(pods), state); diff != "" {
		t.Errorf("%s: list against the sum of the changes (-list +watch):\n%s", name, diff)
	}
}

func versionsOf(pods []*corev1.Pod) map[string]string {
	versions := map[string]string{}
	for _, p := range pods {
		versions[p.Namespace+"/"+p.Name] = p.ResourceVersion
	}
	return versions
}

// scribble writes at random to a few objects. Only errors of lost races are to be expected.
func scribble(t *testing.T, s *Store, r *rand.Rand, n int) {
	for range n {
		namespace, name := []string{"default", "other"}[r.IntN(2)], fmt.Sprint("p", r.IntN(6))
		app := fmt.Sprint(r.IntN(2))
		var err error
		switch r.IntN(5) {
		case 0:
			_, err = Create(s, newPod(name, onNode, func(p *corev1.Pod) { p.Namespace, p.Labels = namespace, map[string]string{"app": app} }))
		case 1:
			_, err = Modify(s, namespace, name, func(p *corev1.Pod) error { p.Labels = map[string]string{"app": app}; return nil })
		case 2:
			if pod, getErr := Get[*corev1.Pod](s, namespace, name); getErr == nil {
				pod = pod.DeepCopy()
				pod.Status.Message = fmt.Sprint(r.IntN(3))
				_, err = Update(s, pod)
			}
		case 3:
			err = Delete[*corev1.Pod](s, namespace, name, DeleteOptions{Grace: new(int64(r.IntN(3)))})
		case 4:
			s.Record(occurrence(newPod(name), "Noise"))
		}
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			t.Error(err)
		}
	}
}
