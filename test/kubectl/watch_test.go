//go:build kubectl

package kubectl

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// TestInitialEvents: a watch that begins with what is there says where that ends, in every form,
// and if there is nothing.
func TestInitialEvents(t *testing.T) {
	c := connect(t)
	forms := map[string]struct{ accept, kind string }{
		"objects":  {"application/json", "ConfigMap"},
		"a Table":  {"application/json;as=Table;v=v1;g=meta.k8s.io", "Table"},
		"metadata": {"application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "PartialObjectMetadata"},
	}
	for _, objects := range []int{0, 2} {
		for i := range objects {
			c.newConfigMap(t, fmt.Sprintf("c%d", i), "1")
		}
		for name, form := range forms {
			t.Run(fmt.Sprintf("%s, %d", name, objects), func(t *testing.T) {
				stream := must(c.typed.CoreV1().RESTClient().Get().Namespace(c.namespace).Resource("configmaps").SetHeader("Accept", form.accept).
					VersionedParams(&metav1.ListOptions{
						Watch: true, SendInitialEvents: new(true), AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
						LabelSelector: "value", TimeoutSeconds: new(int64(60)),
					}, metav1.ParameterCodec).Stream(t.Context()))(t)
				defer stream.Close()
				frames := json.NewDecoder(stream)
				for i := range objects + 1 {
					var frame struct {
						Type   string
						Object struct {
							Kind     string
							Metadata metav1.ObjectMeta
							Rows     []struct {
								Object struct{ Metadata metav1.ObjectMeta }
							}
						}
					}
					if err := frames.Decode(&frame); err != nil {
						t.Fatal(err)
					}
					meta := frame.Object.Metadata
					if form.kind == "Table" && len(frame.Object.Rows) == 1 {
						meta = frame.Object.Rows[0].Object.Metadata
					}
					want := "ADDED"
					if i == objects {
						want = "BOOKMARK"
					}
					if frame.Type != want || frame.Object.Kind != form.kind || (meta.Annotations[metav1.InitialEventsAnnotationKey] == "true") != (i == objects) {
						t.Errorf("event %d is %s of a %s with %v, want %s", i, frame.Type, frame.Object.Kind, meta, want)
					}
					if i == objects && meta.ResourceVersion == "" && frame.Object.Metadata.ResourceVersion == "" {
						t.Errorf("the bookmark has no version: %v", frame)
					}
				}
			})
		}
	}
	_, err := c.typed.CoreV1().ConfigMaps(c.namespace).Watch(t.Context(), metav1.ListOptions{SendInitialEvents: new(true)})
	if !apierrors.IsInvalid(err) {
		t.Errorf("initial events without resourceVersionMatch: %v, want Invalid", err)
	}
}

// TestWatchFrom: a watch brings what followed a version, and without a version what is there.
func TestWatchFrom(t *testing.T) {
	c := connect(t)
	configMaps := c.typed.CoreV1().ConfigMaps(c.namespace)
	first := c.newConfigMap(t, "a", "1")
	must(configMaps.Update(t.Context(), configMap("a", "2"), metav1.UpdateOptions{}))(t)
	c.newConfigMap(t, "b", "1")
	for name, test := range map[string]struct {
		options metav1.ListOptions
		want    []string
	}{
		"a version":  {metav1.ListOptions{ResourceVersion: first.ResourceVersion}, []string{"MODIFIED a 2", "ADDED b 1"}},
		"no version": {metav1.ListOptions{}, []string{"ADDED a 2", "ADDED b 1"}},
		"zero":       {metav1.ListOptions{ResourceVersion: "0"}, []string{"ADDED a 2", "ADDED b 1"}},
		"a selector": {metav1.ListOptions{ResourceVersion: first.ResourceVersion, LabelSelector: "value=1"}, []string{"DELETED a 1", "ADDED b 1"}}, // as it was when it was selected last
		"one object": {metav1.ListOptions{FieldSelector: "metadata.name=b"}, []string{"ADDED b 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.options.LabelSelector == "" {
				test.options.LabelSelector = "value"
			}
			w := must(configMaps.Watch(t.Context(), test.options))(t)
			defer w.Stop()
			var got []string
			for range test.want {
				event := <-w.ResultChan()
				o, is := event.Object.(*corev1.ConfigMap)
				if !is {
					t.Fatalf("event %v", event)
				}
				got = append(got, fmt.Sprintf("%s %s %s", event.Type, o.Name, o.Labels["value"]))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// TestForeignVersions: a client that comes with a version of another run starts anew, whether that
// is older or newer than all that is here.
func TestForeignVersions(t *testing.T) {
	if os.Getenv(kubeconfigVariable) != "" {
		t.Skip("a cluster answers another run's versions as if they were its own")
	}
	c := connect(t)
	configMaps := c.typed.CoreV1().ConfigMaps(c.namespace)
	now := must(strconv.ParseInt(c.newConfigMap(t, "a", "1").ResourceVersion, 10, 64))(t)
	for name, version := range map[string]int64{"long ago": 1, "the last run": now - 1000, "the future": now + 1<<40} {
		t.Run(name, func(t *testing.T) {
			w, err := configMaps.Watch(t.Context(), metav1.ListOptions{ResourceVersion: strconv.FormatInt(version, 10)})
			if err == nil {
				defer w.Stop()
				event := <-w.ResultChan()
				if err = apierrors.FromObject(event.Object); event.Type != watch.Error {
					t.Errorf("the first event is %v, want an error", event)
				}
			}
			if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
				t.Errorf("a watch: %v, want Expired", err)
			}
		})
	}
	_, err := configMaps.List(t.Context(), metav1.ListOptions{ResourceVersion: strconv.FormatInt(now+1<<40, 10)})
	if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		t.Errorf("a list of a version of the future: %v, want Expired", err)
	}
}

// TestWatchEnds: the server ends a watch when its time is over, and without an error.
func TestWatchEnds(t *testing.T) {
	c := connect(t)
	w := must(c.typed.CoreV1().ConfigMaps(c.namespace).Watch(t.Context(), metav1.ListOptions{TimeoutSeconds: new(int64(1)), LabelSelector: "value"}))(t)
	if event, open := <-w.ResultChan(); open {
		t.Errorf("the watch says %v, want its end", event)
	}
}

// TestWatchers: each of many watchers sees each change once and in order, however often its watch
// ends on the way.
func TestWatchers(t *testing.T) {
	const watchers, reconnections = 10, 3
	c := connect(t)
	configMaps := c.typed.CoreV1().ConfigMaps(c.namespace)
	from := c.newConfigMap(t, "counter", "0").ResourceVersion
	var watches [watchers]atomic.Int32 // that each has begun
	var last atomic.Int64              // what the counter will have come to
	last.Store(1 << 60)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	var running sync.WaitGroup
	for i := range watchers {
		running.Go(func() {
			begin := func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
				watches[i].Add(1)
				options.TimeoutSeconds = new(int64(1))
				options.LabelSelector = "value"
				return configMaps.Watch(ctx, options)
			}
			w, err := watchtools.NewRetryWatcherWithContext(ctx, from, &cache.ListWatch{WatchFuncWithContext: begin})
			if err != nil {
				t.Error(err)
				return
			}
			defer w.Stop()
			for next := int64(1); next <= last.Load(); next++ {
				event, open := <-w.ResultChan()
				if !open {
					t.Errorf("watcher %d has come to %d of %d when it ended", i, next, last.Load())
					return
				}
				if o, is := event.Object.(*corev1.ConfigMap); !is || o.Labels["value"] != strconv.FormatInt(next, 10) {
					t.Errorf("watcher %d: event %v, want the counter at %d", i, event, next)
					return
				}
			}
		})
	}
	count := int64(0)
	enough := func() bool {
		for i := range watches {
			if watches[i].Load() <= reconnections {
				return false
			}
		}
		return true
	}
	for ; !enough() && ctx.Err() == nil; count++ {
		must(configMaps.Update(ctx, configMap("counter", strconv.FormatInt(count+1, 10)), metav1.UpdateOptions{}))(t)
		time.Sleep(time.Millisecond) // the watchers share the processor with it
	}
	last.Store(count)
	// the change after the last lets those look at the end who wait for one more
	must(configMaps.Update(ctx, configMap("counter", strconv.FormatInt(count+1, 10)), metav1.UpdateOptions{}))(t)
	running.Wait()
	t.Logf("%d changes", count)
}
