package proxy

import (
	"net/netip"
	"testing"
	"time"
)

func TestAffinityTimeout(t *testing.T) { // R202: sliding
	var a sessionAffinity
	e, client, start := &endpoint{}, netip.MustParseAddr("127.0.0.1"), time.Now()
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	a.remember(client, e, at(0), 10*time.Second)
	if a.endpointOf(client, at(9), 10*time.Second) != e {
		t.Error("forgotten before the timeout")
	}
	a.remember(client, e, at(9), 10*time.Second)
	if a.endpointOf(client, at(18), 10*time.Second) != e {
		t.Error("a request did not start the timeout anew")
	}
	if a.endpointOf(client, at(19), 10*time.Second) != nil {
		t.Error("remembered beyond the timeout")
	}
	for i := range 3 * maxSessions {
		a.remember(netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}), e, at(20), 10*time.Second)
	}
	if n := len(a.clients); n > maxSessions {
		t.Errorf("%d clients are remembered, at most %d are to be", n, maxSessions)
	}
}
