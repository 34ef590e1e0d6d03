package store

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// model is a store as simple as can be: what is there, and how it would be deleted.
type model map[string]*modelPod

type modelPod struct {
	label      string
	onNode     bool
	finalizer  bool
	deleting   bool
	grace      int64
	generation int64
}

// FuzzStore plays each two bytes as one operation, on the store and on the model, and compares them
// after each.
func FuzzStore(f *testing.F) {
	// create, label, delete, finish, create again
	f.Add([]byte{0, 0, 1, 0, 4, 0, 3, 0, 0, 0})
	f.Add([]byte{8, 1, 2, 1, 4, 1, 4, 9, 2, 5, 3, 1})             // with a finalizer
	f.Add([]byte{16, 2, 4, 2, 4, 34, 4, 18, 1, 2, 3, 2, 3, 2})    // with grace, shortened
	f.Add([]byte{24, 3, 4, 3, 2, 7, 3, 3, 0, 3, 2, 3, 16, 3, 17}) // all of it
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) > 200 {
			return
		}
		s := newStore(t, Options{History: 1000})
		w := must[*Watch](t)(s.Watch(WatchOptions{}))
		m := model{}
		for op := range slices.Chunk(ops, 2) {
			if len(op) == 2 {
				name := fmt.Sprint("p", op[1]%4)
				want := m.play(name, op[0], op[1])
				if got := string(apierrors.ReasonForError(play(s, name, op[0], op[1]))); got != want {
					t.Fatalf("operation %v: error %q, want %q", op, got, want)
				}
				if diff := cmp.Diff(m, stateOf(s), cmp.AllowUnexported(modelPod{})); diff != "" {
					t.Fatalf("after %v (-model +store):\n%s", op, diff)
				}
			}
		}
		seen := map[string]bool{}
		for _, c := range drain(t, w) {
			if seen[c.Object.GetName()] = true; c.Type == Deleted {
				delete(seen, c.Object.GetName())
			}
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(m)), slices.Sorted(maps.Keys(seen))); diff != "" {
			t.Errorf("what the watch left (-model +watch):\n%s", diff)
		}
	})
}

// play does the operation of two bytes: the lower three bits of the first choose it, the upper ones
// and the second say with what.
func play(s *Store, name string, op, arg byte) error {
	var err error
	switch op % 8 {
	case 1:
		_, err = Modify(s, "default", name, func(p *corev1.Pod) error { p.Labels = map[string]string{"l": fmt.Sprint(arg / 4)}; return nil })
	case 2:
		_, err = Modify(s, "default", name, func(p *corev1.Pod) error { p.Finalizers = nil; return nil })
	case 3:
		err = Delete[*corev1.Pod](s, "default", name, DeleteOptions{Grace: new(int64(0))})
	case 4:
		err = Delete[*corev1.Pod](s, "default", name, DeleteOptions{Grace: new(int64(arg/4) - 2)})
	case 5:
		err = Delete[*corev1.Pod](s, "default", name, DeleteOptions{})
	default:
		_, err = Create(s, newPod(name, func(p *corev1.Pod) {
			if p.Labels = map[string]string{"l": ""}; op&8 != 0 {
				p.Finalizers = []string{"a.b/c"}
			}
			if op&16 != 0 {
				p.Spec.NodeName = "n"
			}
		}))
	}
	return err
}

// play is what play should have done: the reason of its error, and the new state.
func (m model) play(name string, op, arg byte) string {
	p := m[name]
	if creates := op%8 == 0 || op%8 > 5; creates != (p == nil) {
		return map[bool]string{true: "AlreadyExists", false: "NotFound"}[creates]
	}
	switch op % 8 {
	case 1:
		p.label = fmt.Sprint(arg / 4)
	case 2:
		if p.finalizer = false; p.deleting && p.grace == 0 {
			delete(m, name)
		}
	case 3:
		m.delete(name, 0)
	case 4:
		g := int64(arg/4) - 2
		m.delete(name, max(g, map[bool]int64{true: 1}[g < 0]))
	case 5:
		if !p.deleting {
			m.delete(name, 30)
		} else if p.grace == 0 {
			m.delete(name, 0)
		}
	default:
		m[name] = &modelPod{finalizer: op&8 != 0, onNode: op&16 != 0, generation: 1}
	}
	return ""
}

func (m model) delete(name string, grace int64) {
	p := m[name]
	if !p.onNode {
		grace = 0
	}
	if p.deleting {
		grace = min(grace, p.grace)
	} else {
		p.deleting, p.generation = true, p.generation+1
	}
	if p.grace = grace; grace == 0 && !p.finalizer {
		delete(m, name)
	}
}

func stateOf(s *Store) model {
	m := model{}
	pods, _ := List[*corev1.Pod](s, Selector{})
	for _, p := range pods {
		m[p.Name] = &modelPod{
			label: p.Labels["l"], onNode: p.Spec.NodeName != "", finalizer: len(p.Finalizers) > 0,
			deleting: p.DeletionTimestamp != nil, generation: p.Generation,
		}
		if g := p.DeletionGracePeriodSeconds; g != nil {
			m[p.Name].grace = *g
		}
	}
	return m
}
