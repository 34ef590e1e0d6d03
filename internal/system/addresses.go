package system

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/address"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// addressesName is the file in a state folder in which the places of Services are noted.
const addressesName = "addresses.json"

// addressNote is what is in that file: by namespace and name, the place in the run's block.
type addressNote struct {
	Services map[string]int `json:"services"`
}

// addresses give each Service and each Pod of a run an address of its own, from blocks that no
// other run on this machine has. They are safe for concurrent use.
type addresses struct {
	root   *os.Root
	notice func(string)
	// shared: this machine has no addresses for it, so everybody has 127.0.0.1
	shared       bool
	serviceBlock address.Block
	podBlock     address.Block
	held         []func() // give the blocks back

	mu       sync.Mutex // guards the rest
	services *address.Places
	pods     *address.Places
	running  map[string]int // Pods of each name that have its place
}

// openAddresses takes the blocks of a run, by the path of its state folder, and what its last run
// noted. moved says in words that the addresses are not those of every run; it is empty else.
func openAddresses(root *os.Root, dir string, notice func(string)) (a *addresses, moved string, err error) {
	a = &addresses{root: root, notice: notice, pods: &address.Places{}, running: map[string]int{}}
	var note addressNote
	if err := readNote(root, addressesName, &note); err != nil {
		notice(fmt.Sprintf("probity: Services get new addresses, as those of the last run cannot be read: %v", err))
	}
	if len(note.Services) > address.Usable/2 {
		note.Services = nil // names of long ago
	}
	a.services = address.NewPlaces(note.Services)
	first := address.BlockOf(dir)
	if a.serviceBlock, err = a.hold(first); err == nil {
		a.podBlock, err = a.hold((first + address.Blocks/2) % address.Blocks)
	}
	if err != nil {
		a.close()
		return nil, "", err
	}
	a.shared = !canListen(a.serviceBlock.At(0))
	if a.serviceBlock != first && !a.shared {
		moved = fmt.Sprintf("Another run has the addresses from %s on, so Services are at those from %s on this time", first.At(0), a.serviceBlock.At(0))
	}
	return a, moved, nil
}

// hold takes the first block that nobody has.
func (a *addresses) hold(block address.Block) (address.Block, error) {
	for range address.Blocks {
		release, ok, err := process.Claim(fmt.Sprintf("addresses/%d", block))
		if err != nil {
			return 0, fmt.Errorf("cannot take addresses for Services: %w", err)
		}
		if ok {
			a.held = append(a.held, release)
			return block, nil
		}
		block = block.Next()
	}
	return 0, errors.New("cannot take addresses for Services: other runs have them all: end some")
}

// canListen reports whether an address is one of this machine.
func canListen(at netip.Addr) bool {
	listener, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
	if err != nil {
		return !errors.Is(err, syscall.EADDRNOTAVAIL)
	}
	return listener.Close() == nil
}

// close lets other runs have the addresses.
func (a *addresses) close() {
	for _, release := range a.held {
		release()
	}
}

// service is the address of a Service. It is noted, so that the next run has it, too.
func (a *addresses) service(namespace, name string) netip.Addr {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.services.Count()
	place, ok := a.services.Take(namespace + "/" + name)
	if a.services.Count() != before {
		a.noteLocked()
	}
	return a.at(a.serviceBlock, place, ok)
}

// expect gives Services their places in the order of their names, whatever the order in which they
// are made.
func (a *addresses) expect(names []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.services.Count()
	a.services.TakeAll(names)
	if a.services.Count() != before {
		a.noteLocked()
	}
}

func (a *addresses) noteLocked() {
	if err := writeNote(a.root, addressesName, addressNote{a.services.All()}); err != nil {
		a.notice(fmt.Sprintf("probity: the addresses of Services may be others in the next run: %v", err))
	}
}

// pod is the address of a Pod as long as Pods of its name run.
func (a *addresses) pod(namespace, name string) (at netip.Addr, release func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := namespace + "/" + name
	place, ok := a.pods.Take(key)
	a.running[key]++
	return a.at(a.podBlock, place, ok), func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.running[key]--; a.running[key] == 0 {
			delete(a.running, key)
			a.pods.Release(key)
		}
	}
}

// at is the address of a place in a block, or that of everybody if there is no place.
func (a *addresses) at(block address.Block, place int, ok bool) netip.Addr {
	if a.shared || !ok {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return block.At(place)
}

// tellMoved says that the addresses are other ones than those of the last run.
func (s *System) tellMoved(moved string) {
	s.remarks = append(s.remarks, "probity: "+moved)
	s.store.Record(store.Occurrence{
		About: corev1.ObjectReference{Kind: "Node", Name: node.Name, UID: node.Name}, Type: corev1.EventTypeNormal, Reason: "AddressesTaken", Message: moved,
		Component: "probity",
	})
}
