package process

import (
	"fmt"
	"net"
	"sync"
	"testing"
)

func TestPortsAreDistinct(t *testing.T) {
	var ports Ports
	var mu sync.Mutex
	seen := map[int]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				port, err := ports.Take()
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if seen[port] {
					t.Errorf("port %d was handed out twice", port)
				}
				seen[port] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	low, high := ephemeralPorts()
	for port := range seen {
		if port < lowestPort || port > highestPort || port >= low && port <= high {
			t.Errorf("port %d, want one from %d to %d and not from %d to %d", port, lowestPort, highestPort, low, high)
		}
	}
}

// TestPortsInUse offers the allocator a port that somebody uses, on each kind of address.
func TestPortsInUse(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "[::1]", "0.0.0.0", "[::]"} {
		t.Run(host, func(t *testing.T) {
			ports := Ports{maxStep: 1}
			port, err := ports.Take()
			if err != nil {
				t.Fatal(err)
			}
			l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", host, port))
			if err != nil {
				t.Skip(err) // no such address on this system
			}
			defer l.Close()
			ports.Release(port)
			ports.last = port - 1
			got, err := ports.Take()
			if err != nil || got == port {
				t.Errorf("Take = %d, %v, want another port than %d, which is in use at %s", got, err, port, host)
			}
		})
	}
}

func TestPortsComeBackLate(t *testing.T) {
	ports := Ports{maxStep: 1}
	first, err := ports.Take()
	if err != nil {
		t.Fatal(err)
	}
	ports.Release(first)
	for range 20 {
		if port, err := ports.Take(); err != nil || port == first {
			t.Fatalf("Take = %d, %v, want another port than the one just released", port, err)
		}
	}
	ports.last = first - 1
	if port, err := ports.Take(); err != nil || port != first {
		t.Errorf("Take = %d, %v, want %d, which was released", port, err, first)
	}
}

// TestPortsOfTwoProbitys has two allocators, as of two Probitys, look at the same ports.
func TestPortsOfTwoProbitys(t *testing.T) {
	one, other := Ports{maxStep: 1}, Ports{maxStep: 1}
	first, err := one.Take()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Take(); err != nil {
		t.Fatal(err)
	}
	other.last = first - 1
	if second, err := other.Take(); err != nil || second == first {
		t.Errorf("Take = %d, %v, want another port than %d, which the other Probity has", second, err, first)
	}
}

// TestPortsAreDrawn takes ports one after the other. The next one cannot be told from those before.
func TestPortsAreDrawn(t *testing.T) {
	var ports Ports
	steps := map[int]int{}
	last := 0
	const n = 64
	for range n {
		port, err := ports.Take()
		if err != nil {
			t.Fatal(err)
		}
		steps[port-last]++
		last = port
	}
	for step, times := range steps {
		if times > n/4 {
			t.Errorf("%d of %d ports were %d after the one before", times, n, step)
		}
	}
}
