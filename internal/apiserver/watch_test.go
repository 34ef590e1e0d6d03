package apiserver

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/store"
)

func TestWatch(t *testing.T) {
	c := newClient(t)
	c.ok("POST", configMaps, configMap("a", "{}"))
	version := c.ok("GET", configMaps, "").get("metadata.resourceVersion")
	fresh := c.watch(configMaps + "?watch=true")
	later := c.watch(configMaps + "?watch=1&resourceVersion=" + version)
	some := c.watch(configMaps + "?watch=true&labelSelector=is%3Db")
	one := c.watch(configMaps + "/b?watch=true")
	fresh.want("ADDED a")
	c.ok("POST", configMaps, configMap("b", "{}"))
	c.ok("PATCH", configMaps+"/b", `{"data":{"x":"1"}}`, "Content-Type: application/merge-patch+json")
	c.ok("PATCH", configMaps+"/b", `{"metadata":{"labels":{"is":"other"}}}`, "Content-Type: application/merge-patch+json")
	c.ok("DELETE", configMaps+"/b", "")
	fresh.want("ADDED b", "MODIFIED b", "MODIFIED b", "DELETED b")
	later.want("ADDED b", "MODIFIED b", "MODIFIED b", "DELETED b")
	one.want("ADDED b", "MODIFIED b", "MODIFIED b", "DELETED b")
	some.want("ADDED b", "MODIFIED b", "DELETED b") // it has ceased to match
	c.fails(400, "BadRequest", `resourceVersion: Invalid value: "abc": strconv.ParseUint`, "GET", configMaps+"?watch=1&resourceVersion=abc", "")
	c.fails(422, "Invalid", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan", "GET", configMaps+"?watch=1&sendInitialEvents=true", "")
	c.fails(406, "NotAcceptable", "application/json, application/vnd.kubernetes.protobuf", "GET", configMaps+"?watch=1", "", "Accept: application/yaml")
}

// TestWatchEnds: a watch ends cleanly when its time is over.
func TestWatchEnds(t *testing.T) {
	c := newClient(t)
	w := c.watch(configMaps + "?watch=true&timeoutSeconds=1")
	if event, more := w.next(); more {
		t.Errorf("event %v, want the end", event)
	}
}

// TestWatchOfAnotherRun: a version that this store has not had is told by an event, with which
// clients list anew.
func TestWatchOfAnotherRun(t *testing.T) {
	c := newClient(t)
	version := c.ok("GET", configMaps, "").get("metadata.resourceVersion")
	for _, old := range []string{"17", "9" + version} {
		w := c.watch(configMaps + "?watch=true&resourceVersion=" + old)
		event, ok := w.next()
		if !ok || valueAt(event, "type") != "ERROR" || valueAt(event, "object.kind") != "Status" || valueAt(event, "object.code") != "410" || valueAt(event, "object.reason") != "Expired" {
			t.Errorf("from version %s: %v, want an ERROR with 410", old, event)
		}
		if event, more := w.next(); more {
			t.Errorf("after the error: %v, want the end", event)
		}
	}
}

// TestWatchList: a client that asks for it gets all there is, and a bookmark that says so, also
// when there is nothing.
func TestWatchList(t *testing.T) {
	const query = "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
	c := newClient(t)
	end := func(w *events, kind string) {
		t.Helper()
		event, ok := w.next()
		if !ok || valueAt(event, "type") != "BOOKMARK" || valueAt(event, "object.kind") != kind {
			t.Fatalf("event %v, want the bookmark of a %s", event, kind)
		}
		at := "object.metadata"
		if kind == "Table" {
			at = "object.rows.0.object.metadata"
		}
		metadata, _ := strings.CutSuffix(at, ".")
		if annotations := valueAt(event, metadata+".annotations"); annotations != `{"k8s.io/initial-events-end":"true"}` {
			t.Errorf("annotations %s of %v", annotations, event)
		}
		if v := valueAt(event, metadata+".resourceVersion"); v == "" {
			t.Errorf("%v has no version", event)
		}
	}
	none := c.watch(configMaps + query)
	end(none, "ConfigMap")
	c.ok("POST", configMaps, configMap("a", "{}"))
	none.want("ADDED a")
	w := c.watch(configMaps + query)
	w.want("ADDED a")
	end(w, "ConfigMap")
	c.ok("POST", configMaps, configMap("b", "{}"))
	w.want("ADDED b")
	table := c.watch(configMaps+query, "Accept: application/json;as=Table;v=v1;g=meta.k8s.io")
	for i, name := range []string{"a", "b"} {
		event, _ := table.next()
		if got := valueAt(event, "object.rows.0.object.metadata.name"); got != name || (valueAt(event, "object.columnDefinitions.0.name") == "Name") != (i == 0) {
			t.Errorf("Table %d: %v, want %s, with columns only in the first one", i, event, name)
		}
	}
	end(table, "Table")
	version := c.ok("GET", configMaps, "").get("metadata.resourceVersion")
	metadata := c.watch(configMaps+query+"&resourceVersion="+version, "Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")
	metadata.want("ADDED a", "ADDED b")
	end(metadata, "PartialObjectMetadata")
	c.fails(410, "Expired", "", "GET", configMaps+query+"&resourceVersion=17", "")
	live := c.watch(configMaps + "?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan")
	c.ok("DELETE", configMaps+"/a", "")
	live.want("DELETED a")
}

// TestWatchers: many watchers that leave and come back see each change once, in order. Of the full
// size is TestAllWatchers.
func TestWatchers(t *testing.T) { watchAll(t, 20, 400, 5) }

// watchAll has so many watchers see so many changes, each over so many connections, while one more
// reads nothing: that one is cut, and holds up nobody.
func watchAll(t *testing.T, watchers, changes, connections int) {
	c := newClient(t, func(o *Options) { o.WriteTime = 5 * time.Second })
	c.ok("POST", configMaps, configMap("a", `{"n":"0"}`))
	first := c.ok("GET", configMaps, "").get("metadata.resourceVersion")
	stuck := c.openStuck()
	const ahead = 500 // how far the writer may be before the slowest watcher: the history of a kind holds more
	var mu sync.Mutex
	told, moved := make([]int, watchers), sync.NewCond(&mu) // how many changes each has seen
	tell := func(i, n int) {
		mu.Lock()
		defer mu.Unlock()
		told[i] = n
		moved.Broadcast()
	}
	var running sync.WaitGroup
	for i := range watchers {
		running.Go(func() {
			defer tell(i, changes) // of one that has failed, so that the writer comes to its end
			c.watchChanges(i, first, changes, connections, func(n int) { tell(i, n) })
		})
	}
	padding := strings.Repeat("x", 2_000) // so that the one who is stuck cannot take all of it
	for n := range changes {
		mu.Lock()
		for slices.Min(told) < n-ahead {
			moved.Wait()
		}
		mu.Unlock()
		if _, err := store.Modify(c.store, "default", "a", func(m *corev1.ConfigMap) error {
			m.Data["n"], m.Data["padding"] = fmt.Sprint(n+1), padding
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	running.Wait()
	_ = stuck.Close() // TestStuckWatcher waits for its end
}

// watchChanges checks that a watcher is told each change once and in order.
func (c *client) watchChanges(i int, version string, changes, connections int, seen func(n int)) {
	last := 0
	for part := range connections {
		w := c.watch(configMaps + "?watch=true&resourceVersion=" + version)
		for last < changes*(part+1)/connections {
			event, ok := w.next()
			if !ok || valueAt(event, "type") != "MODIFIED" {
				c.t.Errorf("watcher %d: event %v after %d changes", i, event, last)
				return
			}
			last++
			if n := valueAt(event, "object.data.n"); n != fmt.Sprint(last) {
				c.t.Errorf("watcher %d: change %s, want %d", i, n, last)
				return
			}
			version = valueAt(event, "object.metadata.resourceVersion")
			seen(last)
		}
		w.body.Close()
	}
}

// openStuck begins a watch whose client takes nothing of it.
func (c *client) openStuck() net.Conn {
	c.t.Helper()
	host := strings.TrimPrefix(c.url, "http://")
	stuck, err := (&net.Dialer{}).DialContext(c.t.Context(), "tcp", host)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := stuck.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil { // else it could take all of it
		c.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(stuck, "GET %s?watch=true HTTP/1.1\r\nHost: %s\r\n\r\n", configMaps, host); err != nil {
		c.t.Fatal(err)
	}
	return stuck
}

// TestStuckWatcher: a client that reads nothing holds up neither writers nor other watchers, and is
// cut when it has taken nothing for too long.
func TestStuckWatcher(t *testing.T) {
	t.Parallel()
	// so long that the other watcher, which is of this process too, is not too slow on a busy
	// machine
	const limit = 5 * time.Second
	c := newClient(t, func(o *Options) { o.WriteTime = limit })
	c.ok("POST", configMaps, configMap("a", `{"n":"0"}`))
	stuck := c.openStuck()
	defer stuck.Close()
	other := c.watch(configMaps + "?watch=true")
	other.want("ADDED a")
	long := strings.Repeat("x", 900_000)
	for n := range 20 { // more than the buffers of a connection hold
		if _, err := store.Modify(c.store, "default", "a", func(m *corev1.ConfigMap) error { m.Data = map[string]string{"n": fmt.Sprint(n), "x": long}; return nil }); err != nil {
			t.Fatal(err)
		}
		other.want("MODIFIED a")
	}
	time.Sleep(limit + time.Second) // whoever reads before is not stuck
	// what was sent before the cut is still there to be read; then the connection ends
	if err := stuck.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 1<<20)
	for {
		if _, err := stuck.Read(buffer); err != nil {
			if e, ok := err.(net.Error); ok && e.Timeout() {
				t.Error("the connection of a client that reads nothing goes on")
			}
			return
		}
	}
}
