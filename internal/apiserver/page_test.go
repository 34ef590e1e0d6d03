package apiserver

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/store"
)

// TestPages: the pages of a list have every object once, in order, whatever the limit, and also
// when objects come and go in between.
func TestPages(t *testing.T) {
	all := func(names ...string) (objects []store.Object) {
		for _, name := range names {
			pod := &corev1.Pod{}
			pod.Namespace, pod.Name = name[:1], name[1:]
			objects = append(objects, pod)
		}
		return objects
	}
	names := []string{"aa", "ab", "ba", "bb", "bba", "c-", "ca"}
	for limit := range int64(9) {
		var got []string
		var after *page
		for range 20 {
			objects, left := cut(all(names...), after, limit)
			for _, o := range objects {
				got = append(got, o.GetNamespace()+o.GetName())
			}
			if left == 0 {
				break
			}
			last := objects[len(objects)-1]
			next, err := parsePage(page{Version: "1", Namespace: last.GetNamespace(), Name: last.GetName()}.token())
			if err != nil {
				t.Fatal(err)
			}
			after = &next
		}
		if !slices.Equal(got, names) {
			t.Errorf("in pages of %d: %v, want %v", limit, got, names)
		}
	}
	gone := page{Version: "1", Namespace: "b", Name: "a"}
	if objects, left := cut(all("aa", "b0", "bb", "ca"), &gone, 1); len(objects) != 1 || objects[0].GetName() != "b" || left != 1 {
		t.Errorf("after an object that is gone: %v and %d more, want b/b and one more", objects, left)
	}
}

func FuzzPage(f *testing.F) {
	f.Add(page{Version: "7", Namespace: "default", Name: "web"}.token())
	f.Add("e30")
	f.Add("...")
	f.Fuzz(func(t *testing.T, token string) {
		p, err := parsePage(token)
		if err != nil {
			if !apierrors.IsBadRequest(err) {
				t.Errorf("%q: error %v, want BadRequest", token, err)
			}
			return
		}
		if again, err := parsePage(p.token()); err != nil || again != p {
			t.Errorf("%q: %+v, and again %+v, %v", token, p, again, err)
		}
	})
}
