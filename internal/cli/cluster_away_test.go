package cli

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// gate is a listener that can be away: it keeps its address, and ends each connection.
type gate struct {
	net.Listener

	mu    sync.Mutex // guards what follows
	away  bool
	conns []net.Conn
}

// Accept implements [net.Listener].
func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g.mu.Lock()
		away := g.away
		g.conns = append(g.conns, conn)
		g.mu.Unlock()
		if !away {
			return conn, nil
		}
		conn.Close()
	}
}

// set has the server be away, which cuts what is open, or be back.
func (g *gate) set(away bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away = away
	if away {
		for _, conn := range g.conns {
			conn.Close()
		}
	}
}

// teller tells when a text was written that it waits for.
type teller struct {
	mu     sync.Mutex // guards all
	all    bytes.Buffer
	wanted string
	told   chan struct{}
}

// Write implements [io.Writer].
func (w *teller) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := strings.Contains(w.all.String(), w.wanted)
	w.all.Write(p)
	if !before && strings.Contains(w.all.String(), w.wanted) {
		close(w.told)
	}
	return len(p), nil
}

func (w *teller) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

// restartedCluster is an API server that restarts: before, it has things in one state, and watches
// bring nothing until they are cut; after, in another.
type restartedCluster struct {
	before, after map[string]string // answers of lists, and of watches as PATH?watch
	watching      chan struct{}     // gets one for each watch of before

	mu   sync.Mutex
	back bool
}

// ServeHTTP implements [http.Handler].
func (c *restartedCluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	back := c.back
	c.mu.Unlock()
	name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	watches := r.URL.Query().Get("watch") != "" || r.URL.Query().Get("follow") != ""
	if watches {
		name += "?watch"
	}
	answers := c.before
	if back {
		answers = c.after
	}
	answer, ok := answers[name]
	switch {
	case ok:
		io.WriteString(w, answer) // the client sees to it
	case name == "probereports" || name == "log?watch" && back:
		http.NotFound(w, r)
		return
	case !watches:
		io.WriteString(w, `{"metadata":{"resourceVersion":"1"},"items":[]}`)
	}
	if watches && !back {
		w.(http.Flusher).Flush()
		if name != "log?watch" {
			c.watching <- struct{}{}
		}
		<-r.Context().Done()
	}
}

// TestClusterAway: what waits or follows goes on when the API server was away for a while, and says
// so once, and once that it is back.
func TestClusterAway(t *testing.T) {
	deployment := func(available int) string {
		return fmt.Sprintf(`{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"web","namespace":"shop","uid":"d","generation":1},"spec":{"replicas":1,"selector":{}},`+
			`"status":{"observedGeneration":1,"replicas":1,"updatedReplicas":1,"availableReplicas":%d}}]}`, available)
	}
	const pod = `{"metadata":{"name":"web","namespace":"shop","uid":"p","resourceVersion":"1"},"spec":{"containers":[{"name":"app"}]},` +
		`"status":{"phase":"Running","containerStatuses":[{"name":"app","state":{"running":{}}}]}}`
	const pods = `{"metadata":{"resourceVersion":"1"},"items":[` + pod + `]}`
	for name, test := range map[string]struct {
		args          []string
		before, after map[string]string
		prints        string
	}{
		"wait": {[]string{"wait", "deploy/web", "--timeout=5m"}, map[string]string{"deployments": deployment(0)}, map[string]string{"deployments": deployment(1)}, "deployment.apps/web condition met\n"},
		"rollout status": {[]string{"rollout", "status", "web"}, map[string]string{"deployments": deployment(0)}, map[string]string{"deployments": deployment(1)},
			"Waiting for deployment \"web\" rollout to finish: 0 of 1 updated replicas are available...\ndeployment \"web\" successfully rolled out\n"},
		"delete": {[]string{"delete", "deploy/web"}, map[string]string{"deployments": deployment(0)}, nil, "deployment.apps \"web\" deleted from shop namespace\n"},
		"logs -f": {[]string{"logs", "-f", "pod/web"}, map[string]string{"pods": pods, "log": "2026-01-01T00:00:00Z hello\n"},
			map[string]string{"pods?watch": `{"type":"DELETED","object":` + pod + `}`}, "hello\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := &restartedCluster{before: test.before, after: test.after, watching: make(chan struct{}, 10)}
			server := httptest.NewUnstartedServer(cluster)
			door := &gate{Listener: server.Listener}
			server.Listener = door
			server.Start()
			defer server.Close()
			var out bytes.Buffer
			problems := &teller{wanted: "is asked again", told: make(chan struct{})}
			code := make(chan int, 1)
			args := append(test.args, "--kubeconfig", kubeconfigAt(t, server.URL))
			go func() { code <- Main(t.Context(), Streams{In: strings.NewReader(""), Out: &out, Err: problems}, args) }()
			await := func(what <-chan struct{}) {
				t.Helper()
				select {
				case <-what:
				case code := <-code:
					t.Fatalf("it ends with %d: %s", code, problems)
				}
			}
			await(cluster.watching)
			door.set(true)
			await(problems.told)
			cluster.mu.Lock()
			cluster.back = true
			cluster.mu.Unlock()
			door.set(false)
			got, text := <-code, problems.String()
			if got != 0 || out.String() != test.prints {
				t.Errorf("exit code %d with %q, want %q", got, &out, test.prints)
			}
			lines := strings.Split(text, "\n")
			if len(lines) != 3 || !strings.HasPrefix(lines[0], "probity: the server does not answer, and is asked again: "+server.URL+" ") ||
				lines[1] != "probity: the server answers again" {
				t.Errorf("standard error is %q", text)
			}
		})
	}
}
