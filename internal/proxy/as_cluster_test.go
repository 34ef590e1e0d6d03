package proxy

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/test/ports"
)

// ledger keeps what it gets.
type ledger struct {
	mu      sync.Mutex
	entries []LedgerEntry
}

func (l *ledger) write(e LedgerEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
}

func (l *ledger) all() []LedgerEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries
}

// TestAsClusterNeverRetries has one of two replicas refuse connections: what is sent there is lost,
// whatever it is, and it goes on to be sent there.
func TestAsClusterNeverRetries(t *testing.T) {
	book := &ledger{}
	fx := start(t, Options{Routing: Routing{AsCluster: &AsCluster{}, Ledger: book.write}})
	url := "http://" + fx.service("web")
	dead := fmt.Sprintf("127.0.0.1:%d", ports.Free(t))
	b := fx.replica("b", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "b") })
	fx.endpoints("web", at("a", dead), at("b", b.address))
	client := client(t)
	answered := map[int]int{}
	for range 60 {
		code, _ := get(client, url)
		answered[code]++
	}
	if answered[http.StatusServiceUnavailable] < 10 || answered[http.StatusOK] < 10 || len(answered) != 2 {
		t.Errorf("answers %v: each replica is to get about half, and nothing is to be tried again", answered) // 60 coins: 1e-7
	}
	s := fx.state()
	if e := s.Endpoints[0]; e.Ejected || s.Retries != 0 {
		t.Errorf("nothing is to be ejected or tried again: %+v", s)
	}
	eventually(t, "all are in the ledger", func() bool { return len(book.all()) == 60 })
	lost := 0
	for _, e := range book.all() {
		if !e.Client.IsValid() || e.Service.Name != "web" || e.Port != s.Port {
			t.Errorf("entry %+v", e)
		}
		if e.Answered != (e.Pod.Name == "b") {
			t.Errorf("entry %+v: b answers and a does not", e)
		}
		if !e.Answered {
			lost++
		}
	}
	if lost != answered[http.StatusServiceUnavailable] {
		t.Errorf("%d lost in the ledger, %d answers", lost, answered[http.StatusServiceUnavailable])
	}
}

func TestChooseAsCluster(t *testing.T) {
	a, b, c := &endpoint{}, &endpoint{}, &endpoint{}
	last := func(n int) int { return n - 1 }
	for name, test := range map[string]struct {
		table  routingTable
		sticky *endpoint
		want   *endpoint
	}{
		"any ready one":              {routingTable{ready: []*endpoint{a, b}, terminating: []*endpoint{c}}, nil, b},
		"a terminating one if alone": {routingTable{terminating: []*endpoint{c}}, nil, c},
		"the sticky one":             {routingTable{ready: []*endpoint{a, b}}, a, a},
		"no sticky one that is gone": {routingTable{ready: []*endpoint{b}}, a, b},
		"none":                       {routingTable{}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.table.chooseAsCluster(test.sticky, last); got != test.want {
				t.Errorf("got %p, want %p", got, test.want)
			}
		})
	}
}

// TestSetRouting routes as a cluster for a while and back: with one dead replica of two, half of
// the requests are lost meanwhile, and only then anybody hears of them.
func TestSetRouting(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	b := fx.replica("b", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "b") })
	fx.endpoints("web", at("a", fmt.Sprintf("127.0.0.1:%d", ports.Free(t))), at("b", b.address))
	client := client(t)
	lost := func() (n int) {
		for range 40 {
			if code, _ := get(client, url); code != http.StatusOK {
				n++
			}
		}
		return n
	}
	if n := lost(); n != 0 {
		t.Errorf("%d requests are lost before", n)
	}
	book := &ledger{}
	before := fx.proxy.SetRouting(Routing{AsCluster: &AsCluster{EndpointDelay: time.Second}, Ledger: book.write})
	if n := lost(); n < 5 {
		t.Errorf("%d of 40 requests are lost as in a cluster, want about half", n)
	}
	eventually(t, "all are in the ledger", func() bool { return len(book.all()) == 40 })
	during := fx.proxy.SetRouting(before)
	if during.AsCluster == nil || during.AsCluster.EndpointDelay != time.Second || before.AsCluster != nil || before.Ledger != nil {
		t.Errorf("the routing was %+v before and %+v then", before, during)
	}
	eventually(t, "the dead replica is found dead again", func() bool { return lost() == 0 })
	if n := len(book.all()); n != 40 {
		t.Errorf("%d requests are in the ledger, want the 40 of meanwhile", n)
	}
}

// TestLaterSlices has the changes of EndpointSlices come late, in their order, and nothing else;
// none overtakes another one when the delay is gone.
func TestLaterSlices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.New(store.Options{Kinds: store.Kubernetes()})
		watch, err := s.Watch(store.WatchOptions{Kinds: watchedKinds()})
		if err != nil {
			t.Fatal(err)
		}
		create := func(name string) {
			slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, AddressType: discoveryv1.AddressTypeIPv4}
			if _, err := store.Create(s, slice); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		create("first")
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
		if _, err := store.Create(s, service); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(300 * time.Millisecond)
			create("second")
			time.Sleep(time.Second)
			create("third")
			time.Sleep(time.Second)
			create("fourth")
		}()
		later := laterSlices{delay: func() time.Duration {
			if time.Since(began) < 1200*time.Millisecond {
				return time.Second
			}
			return 0
		}}
		for _, want := range []struct {
			name string
			at   time.Duration
		}{{"web", 0}, {"first", time.Second}, {"second", 1300 * time.Millisecond}, {"third", 1300 * time.Millisecond}, {"fourth", 2300 * time.Millisecond}} {
			change, err := later.next(t.Context(), watch)
			if err != nil {
				t.Fatal(err)
			}
			if name, at := change.Object.GetName(), time.Since(began); name != want.name || at != want.at {
				t.Errorf("%s after %v, want %s after %v", name, at, want.name, want.at)
			}
		}
	})
}
