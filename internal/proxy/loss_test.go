package proxy

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestLossMessage(t *testing.T) {
	tests := map[string]string{
		lossMessage("web-1", "exited with code 0 on SIGTERM", 3, 0): "3 requests were in flight when web-1 exited with code 0 on SIGTERM; they would be lost on a cluster too",
		lossMessage("web-1", "was killed by SIGKILL", 1, 0):         "1 request was in flight when web-1 was killed by SIGKILL; it would be lost on a cluster too",
		lossMessage("web-1", "was killed by SIGKILL", 0, 2):         "2 open connections were cut when web-1 was killed by SIGKILL",
	}
	for got, want := range tests {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestGetSurvivesTheEndOfItsReplica(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	a := fx.replica("a", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	b := fx.replica("b", nil)
	fx.endpoints("web", at("a", a.address))
	answers := make(chan string, 3)
	client := client(t)
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodGet} {
		go func() {
			code, body := do(client, method, url, "")
			answers <- fmt.Sprint(method, " ", code, " ", body[:1])
		}()
	}
	eventually(t, "all have been sent", func() bool { return a.seen.Load() == 3 })
	if n := fx.proxy.InFlight("a"); n != 3 {
		t.Errorf("%d in flight, want 3", n)
	}
	fx.endpoints("web", at("a", a.address), at("b", b.address))
	fx.proxy.Withdraw("a")
	drained := fx.proxy.Drained("a")
	select {
	case <-drained:
		t.Fatal("drained with requests in flight")
	default:
	}
	<-fx.proxy.Sent("a") // they were sent, although not answered
	a.kill()
	fx.proxy.Exited("a", "was killed by SIGKILL")
	got := []string{<-answers, <-answers, <-answers}
	slices.Sort(got)
	if want := []string{"GET 200 b", "GET 200 b", "POST 502 S"}; !slices.Equal(got, want) {
		t.Errorf("answers %q, want %q", got, want)
	}
	<-drained
	const want = "a: 1 request was in flight when a was killed by SIGKILL; it would be lost on a cluster too"
	eventually(t, "the Event", func() bool { return len(fx.events("RequestsLost")) > 0 })
	if events := fx.events("RequestsLost"); !slices.Equal(events, []string{want}) {
		t.Errorf("Events %q, want %q", events, want)
	}
}

func TestAbortedAnswerIsLost(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	a := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		abort(w, r)
	})
	b := fx.replica("b", abort)
	fx.endpoints("web", at("a", a.address), at("b", b.address))
	fx.proxy.ports[onlyKey(fx)].roundRobin.Store(1)
	if code, body := get(client(t), url); code != 0 || !strings.Contains(body, "unexpected EOF") {
		t.Errorf("%d %q, want an answer that breaks off", code, body)
	}
	if b.seen.Load() != 0 {
		t.Error("an answer that had begun was asked for again")
	}
	eventually(t, "the loss is counted", func() bool { return fx.state().Endpoints[0].Lost == 1 })
	fx.proxy.Exited("a", "exited with code 1")
	eventually(t, "the Event", func() bool { return len(fx.events("RequestsLost")) == 1 })
}

// TestKill9 kills one of three processes under load: no GET fails, only POSTs that were sent to it,
// and nothing is seen twice.
func TestKill9(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	children := []*replicaProcess{startReplicaProcess(t), startReplicaProcess(t), startReplicaProcess(t)}
	fx.endpoints("web", at("a", children[0].address), at("b", children[1].address), at("c", children[2].address))
	client, stop := client(t), make(chan struct{})
	var clients sync.WaitGroup
	var total, failedGet, failedPost, dead atomic.Int64
	for i := range 64 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				method, failed := http.MethodGet, &failedGet
				if n%5 == 4 {
					method, failed = http.MethodPost, &failedPost
				}
				id := fmt.Sprintf("%d/%d", i, n)
				code, body := do(client, method, url, id)
				if total.Add(1); code != http.StatusOK || body != method+" "+id {
					failed.Add(1)
					t.Logf("%s %s: %d %s", method, id, code, body)
				}
			}
		})
	}
	eventually(t, "load", func() bool { return total.Load() > 500 })
	how := children[0].kill()
	fx.proxy.Withdraw("a")
	fx.proxy.Exited("a", "was killed: "+how)
	dead.Store(total.Load())
	eventually(t, "load goes on", func() bool { return total.Load() > dead.Load()+500 })
	close(stop)
	clients.Wait()
	t.Logf("%d requests, failed GET %d, POST %d", total.Load(), failedGet.Load(), failedPost.Load())
	if failedGet.Load() > 0 {
		t.Errorf("%d GETs failed", failedGet.Load())
	}
	if lost := fx.events("RequestsLost"); failedPost.Load() > 0 && (len(lost) != 1 || !strings.HasPrefix(lost[0], fmt.Sprintf("a: %d request", failedPost.Load()))) {
		t.Errorf("%d POSTs failed, Events %q", failedPost.Load(), lost)
	} else if failedPost.Load() == 0 && len(lost) > 0 {
		t.Errorf("nothing failed, Events %q", lost)
	}
	posts := map[string]int{}
	for _, child := range children {
		_ = child.kill()
		for line, n := range <-child.seen {
			if strings.HasPrefix(line, http.MethodPost) {
				posts[line] += n
			}
		}
	}
	for line, n := range posts {
		if n > 1 {
			t.Errorf("%s was seen %d times", line, n)
		}
	}
}

// TestStopsLoseNothing withdraws, drains and kills one replica after the other under load.
func TestStopsLoseNothing(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	handler := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		time.Sleep(2 * time.Millisecond)
	}
	current := []*testReplica{fx.replica("r0", handler), fx.replica("r1", handler), fx.replica("r2", handler)}
	write := func() {
		fx.write("web", at(current[0].name, current[0].address), at(current[1].name, current[1].address), at(current[2].name, current[2].address))
	}
	write()
	eventually(t, "endpoints", func() bool { return len(fx.state().Endpoints) == 3 })
	client, stop := client(t), make(chan struct{})
	var clients sync.WaitGroup
	var total, failed atomic.Int64
	for i := range 32 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				code, body := do(client, []string{http.MethodGet, http.MethodPost}[(i+n)%2], url, "x")
				if total.Add(1); code != http.StatusOK {
					failed.Add(1)
					t.Logf("%d %s", code, body)
				}
			}
		})
	}
	for i := range 9 {
		before := total.Load()
		eventually(t, "load", func() bool { return total.Load() > before+200 })
		old := current[i%3]
		pod := types.UID(old.name)
		current[i%3] = fx.replica(fmt.Sprintf("r%d", i+3), handler)
		fx.proxy.Withdraw(pod)
		<-fx.proxy.Drained(pod)
		seen := old.seen.Load()
		write() // long after the node acted
		old.kill()
		fx.proxy.Exited(pod, "exited with code 0 on SIGTERM")
		if old.seen.Load() != seen {
			t.Errorf("%s got %d requests after it was drained", pod, old.seen.Load()-seen)
		}
	}
	close(stop)
	clients.Wait()
	if failed.Load() > 0 || len(fx.events("RequestsLost")) > 0 {
		t.Errorf("%d of %d requests failed, Events %q", failed.Load(), total.Load(), fx.events("RequestsLost"))
	}
}
