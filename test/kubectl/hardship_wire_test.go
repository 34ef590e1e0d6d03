//go:build kubectl && cluster

package kubectl

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd/api"
)

// wire is a bad connection to the API server. It knows nothing of what it carries.
type wire struct {
	url string
	to  string
	// trickle is how many bytes it carries at most each two milliseconds to its client; 0 means
	// all.
	trickle int

	mu      sync.Mutex
	open    map[net.Conn]bool
	dropped int
}

// wire opens one, until the test ends.
func (h hardship) wire(t *testing.T, trickle int) *wire {
	t.Helper()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	server := must(url.Parse(h.cluster.url))(t)
	w := &wire{url: "https://" + listener.Addr().String(), to: server.Host, trickle: trickle, open: map[net.Conn]bool{}}
	var carrying sync.WaitGroup
	carrying.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return // it is closed
			}
			carrying.Go(func() { w.carry(near) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close() // nobody needs it any more
		w.drop()
		carrying.Wait()
	})
	return w
}

// carry carries what both ends of a connection say until one of them ends it.
func (w *wire) carry(near net.Conn) {
	far, err := net.Dial("tcp", w.to)
	if err != nil {
		_ = near.Close() // its client sees it
		return
	}
	w.mu.Lock()
	w.open[near] = true
	w.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range []func() error{
		func() error { _, err := io.Copy(far, near); return err },
		func() error { return w.slowly(near, far) },
	} {
		both.Go(func() {
			_ = way() // it ends
			_, _ = near.Close(), far.Close()
		})
	}
	both.Wait()
	w.mu.Lock()
	delete(w.open, near)
	w.mu.Unlock()
}

func (w *wire) slowly(to io.Writer, from io.Reader) error {
	if w.trickle == 0 {
		_, err := io.Copy(to, from)
		return err
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := io.CopyN(to, from, int64(w.trickle)); err != nil {
			return err
		}
		<-tick.C
	}
}

// drop breaks off all connections, as a machine does that is gone.
func (w *wire) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for conn := range w.open {
		_ = conn.(*net.TCPConn).SetLinger(0) // so that its client gets a reset
		_ = conn.Close()
		w.dropped++
	}
}

// dropEach breaks off all connections again and again until the test ends.
func (w *wire) dropEach(t *testing.T, pause time.Duration) {
	ctx, stop := context.WithCancel(t.Context())
	var dropping sync.WaitGroup
	t.Cleanup(func() { stop(); dropping.Wait() })
	dropping.Go(func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				w.drop()
			}
		}
	})
}

// over is a kubeconfig that goes by a wire.
func (h hardship) over(t *testing.T, url string) string {
	return h.kubeconfig(t, func(cluster *api.Cluster, _ *api.AuthInfo) { cluster.Server = url })
}

// testDropped: connections that break off each second are made anew, and the rollout is followed to
// its end. What has been forgotten meanwhile is listed anew.
func (h hardship) testDropped(t *testing.T) {
	c := connectTo(t, h.cluster.Kubeconfig)
	w := h.wire(t, 0)
	d := h.deployer(t, h.kubeconfig(t, func(cluster *api.Cluster, user *api.AuthInfo) { cluster.Server, user.Token = w.url, countedToken }))
	run := h.begin(t, d.kubeconfig, "deploy", d.write(t, "shop.yaml", shop("web:1", settings)), "-n", c.namespace)
	run.await(t, "deployment/web revision 1")
	w.dropEach(t, time.Second)
	dropped := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.dropped
	}
	eventually(t, "connections are dropped", func() bool { return dropped() >= 2 })
	h.forget(t, c)
	eventually(t, "connections are dropped again", func() bool { return dropped() >= 4 })
	playNode(t, c.typed, c.namespace)
	run.wants(t, 0, "up: deployment/web 2 of 2")
	listed := 0
	for _, r := range h.requestsOf(t, "probity", c.namespace) {
		if strings.HasPrefix(r, "list ") && strings.Contains(r, "/events?") {
			listed++
		}
	}
	if listed < 2 {
		t.Errorf("Events were listed %d times, and not anew after they were forgotten", listed)
	}
}

// forget has etcd forget what was changed until now, so that a watch from there is refused: 410. Of
// Events the API server keeps no changes itself.
func (h hardship) forget(t *testing.T, c clients) {
	t.Helper()
	made := c.newConfigMap(t, "now", "")
	body := fmt.Sprintf(`{"revision":%s,"physical":true}`, made.ResourceVersion)
	response := must(http.Post(h.cluster.etcd+"/v3/kv/compaction", "application/json", strings.NewReader(body)))(t)
	defer response.Body.Close() // it was only read
	if text := must(io.ReadAll(response.Body))(t); response.StatusCode != http.StatusOK && !strings.Contains(string(text), "has been compacted") {
		t.Fatalf("etcd does not compact: %s: %s", response.Status, text)
	}
	if _, err := c.typed.CoreV1().Events(c.namespace).List(t.Context(), metav1.ListOptions{ResourceVersion: "1", ResourceVersionMatch: "Exact"}); err == nil {
		t.Error("etcd remembers")
	}
}

// testTrickle: over a connection of some 60 kB a second all takes longer, and nothing is lost.
func (h hardship) testTrickle(t *testing.T) {
	c := h.connect(t)
	w := h.wire(t, 1<<7)
	d := h.deployer(t, h.over(t, w.url))
	run := h.begin(t, d.kubeconfig, "deploy", d.write(t, "shop.yaml", shop("web:1", settings)), "-n", c.namespace)
	run.wants(t, 0, "up: deployment/web 2 of 2")
	if says := run.output(); strings.Contains(says, "not heard") {
		t.Errorf("it does not hear a server that is slow:\n%s", says)
	}
	t.Logf("took %v", run.took())
}
