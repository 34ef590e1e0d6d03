//go:build kubectl

package kubectl

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// informerMakers are all ways to keep a copy of the ConfigMaps of a namespace.
func informerMakers() map[string]func(clients) cache.SharedIndexInformer {
	configMaps := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	return map[string]func(clients) cache.SharedIndexInformer{
		"JSON": func(c clients) cache.SharedIndexInformer {
			return informers.NewSharedInformerFactoryWithOptions(c.typed, 0, informers.WithNamespace(c.namespace)).Core().V1().ConfigMaps().Informer()
		},
		"protobuf": func(c clients) cache.SharedIndexInformer {
			return informers.NewSharedInformerFactoryWithOptions(c.protobuf, 0, informers.WithNamespace(c.namespace)).Core().V1().ConfigMaps().Informer()
		},
		"dynamic": func(c clients) cache.SharedIndexInformer {
			return dynamicinformer.NewFilteredDynamicSharedInformerFactory(c.dynamic, 0, c.namespace, nil).ForResource(configMaps).Informer()
		},
		"metadata": func(c clients) cache.SharedIndexInformer {
			return metadatainformer.NewFilteredSharedInformerFactory(c.metadata, 0, c.namespace, nil).ForResource(configMaps).Informer()
		},
	}
}

// TestInformer: each way sees each object and each change once and in order, with and without
// WatchList, and also comes to its end where there is no object at all.
func TestInformer(t *testing.T) {
	kubeconfig, _ := startServer(t, t.TempDir())
	for _, watchList := range []bool{true, false} {
		for form, maker := range informerMakers() {
			t.Run(fmt.Sprintf("%s, WatchList %v", form, watchList), func(t *testing.T) {
				featurestesting.SetFeatureDuringTest(t, features.WatchListClient, watchList)
				c := connectTo(t, kubeconfig)
				first := follow(t, maker(c))
				eventually(t, "an informer of nothing is synced", first.informer.HasSynced)

				configMaps := c.typed.CoreV1().ConfigMaps(c.namespace)
				var want []string
				for _, name := range []string{"a", "b", "c"} {
					c.newConfigMap(t, name, "1")
					want = append(want, "add "+name+" 1")
				}
				must(configMaps.Update(t.Context(), configMap("b", "2"), metav1.UpdateOptions{}))(t)
				if err := configMaps.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
				first.expect(t, append(want, "update b 2", "delete a 1")...)

				second := follow(t, maker(c))
				eventually(t, "an informer of two objects is synced", second.informer.HasSynced)
				second.expectSorted(t, "add b 2", "add c 1")
			})
		}
	}
}

// follower writes down what an informer tells.
type follower struct {
	informer cache.SharedIndexInformer

	mu   sync.Mutex
	told []string // guarded by mu
}

// follow runs an informer to the end of the test, which joins it.
func follow(t *testing.T, informer cache.SharedIndexInformer) *follower {
	t.Helper()
	f := &follower{informer: informer}
	tell := func(what string) func(any) {
		return func(o any) {
			if last, gone := o.(cache.DeletedFinalStateUnknown); gone {
				o = last.Obj
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			meta := o.(metav1.Object)
			f.told = append(f.told, strings.Join([]string{what, meta.GetName(), meta.GetLabels()["value"]}, " "))
		}
	}
	must(informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: tell("add"), DeleteFunc: tell("delete"), UpdateFunc: func(_, o any) { tell("update")(o) },
	}))(t)
	var running sync.WaitGroup
	running.Go(func() { informer.RunWithContext(t.Context()) })
	t.Cleanup(running.Wait) // the context ends before
	return f
}

func (f *follower) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	// a cluster puts the certificate of its API server into every namespace
	return slices.DeleteFunc(slices.Clone(f.told), func(s string) bool { return strings.Contains(s, "kube-root-ca.crt") })
}

func (f *follower) expect(t *testing.T, want ...string) {
	t.Helper()
	within(timeout, func() bool { return len(f.all()) >= len(want) })
	if diff := cmp.Diff(want, f.all()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func (f *follower) expectSorted(t *testing.T, want ...string) {
	t.Helper()
	within(timeout, func() bool { return len(f.all()) >= len(want) })
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(f.all()))); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestWatchListIsUsed: client-go falls back to a list without a word, so it is looked whether it
// had to.
func TestWatchListIsUsed(t *testing.T) {
	kubeconfig, _ := startServer(t, t.TempDir())
	for _, watchList := range []bool{true, false} {
		t.Run(fmt.Sprint(watchList), func(t *testing.T) {
			featurestesting.SetFeatureDuringTest(t, features.WatchListClient, watchList)
			c := connectTo(t, kubeconfig)
			seen := &recordingTransport{}
			config := rest.CopyConfig(c.config)
			config.Wrap(func(next http.RoundTripper) http.RoundTripper {
				seen.next = next
				return seen
			})
			c = clients{typed: must(kubernetes.NewForConfig(config))(t), namespace: c.namespace}
			f := follow(t, informerMakers()["JSON"](c))
			eventually(t, "the informer is synced", f.informer.HasSynced)
			lists, watchLists := seen.count(func(r *http.Request) bool { return !r.URL.Query().Has("watch") }), seen.count(func(r *http.Request) bool {
				return r.URL.Query().Get("sendInitialEvents") == "true"
			})
			if watchList && (lists > 0 || watchLists != 1) || !watchList && (lists != 1 || watchLists > 0) {
				t.Errorf("%d lists and %d watches with initial events, want one of the kind", lists, watchLists)
			}
		})
	}
}

// recordingTransport remembers the requests.
type recordingTransport struct {
	next http.RoundTripper

	mu       sync.Mutex
	requests []*http.Request // guarded by mu
}

func (r *recordingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.requests = append(r.requests, request)
	r.mu.Unlock()
	return r.next.RoundTrip(request)
}

func (r *recordingTransport) count(is func(*http.Request) bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, request := range r.requests {
		if is(request) {
			n++
		}
	}
	return n
}

// TestInformerOutlivesTheRun: a client that stays while the run is stopped and started again sees
// what is there then, and keeps nothing of what was there before.
func TestInformerOutlivesTheRun(t *testing.T) {
	if os.Getenv(kubeconfigVariable) != "" {
		t.Skip("the server is another one's")
	}
	for _, watchList := range []bool{true, false} {
		t.Run(fmt.Sprintf("WatchList %v", watchList), func(t *testing.T) {
			featurestesting.SetFeatureDuringTest(t, features.WatchListClient, watchList)
			state := t.TempDir()
			kubeconfig, stop := startServer(t, state)
			c := connectTo(t, kubeconfig)
			for _, name := range []string{"old", "both"} {
				c.newConfigMap(t, name, "1")
			}
			informer := informers.NewSharedInformerFactory(c.typed, 0).Core().V1().ConfigMaps().Informer() // of all namespaces
			f := follow(t, informer)
			f.expectSorted(t, "add both 1", "add old 1")

			stop()
			startServer(t, state)
			again := connectTo(t, kubeconfig)
			again.namespace = metav1.NamespaceDefault
			again.newConfigMap(t, "both", "2")
			again.newConfigMap(t, "new", "2")
			want := []string{metav1.NamespaceDefault + "/both", metav1.NamespaceDefault + "/new"}
			var got []string
			if !within(timeout, func() bool {
				got = slices.Sorted(slices.Values(informer.GetStore().ListKeys()))
				return slices.Equal(got, want)
			}) {
				t.Errorf("the informer keeps %v, want %v", got, want)
			}
		})
	}
}
