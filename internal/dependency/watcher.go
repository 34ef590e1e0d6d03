package dependency

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/relay"
)

// Watcher is a [process.Starter] whose processes are watched, if they are to be. Make it with
// [New]; it is safe for concurrent use. Close it when its processes have ended.
type Watcher struct {
	opts Options
	host Host
	try  func() error
	// reachTime is that of relays; 0: the default
	reachTime time.Duration

	mu       sync.Mutex // guards what follows
	groups   map[string]*group
	carriers map[destination]*carrier
	declared map[netip.AddrPort]string // what the variables say
	own      map[ownKey]bool           // whether a Pod listens itself at an address
	running  []runningProcess
	unix     map[string]map[string]bool // by Pod: the paths that it has connected to
	sent     map[string]map[string]bool // by Pod: where it sends datagrams that nobody breaks
	full     bool                       // there are more destinations than maxCarriers
	closed   bool
}

// group are the destinations of one dependency.
type group struct {
	Dependency
	sort    string
	mode    relay.Mode
	until   time.Time // when mode is over; zero: never
	changes int       // of the mode
	users   map[string]bool
}

// carrier is what is known of one destination.
type carrier struct {
	group *group
	relay carries // nil if connections are left alone
}

// carries is a relay of any kind.
type carries interface {
	Address() netip.AddrPort
	Reach() syscall.Errno
	SetMode(relay.Mode) error
	Close() error
}

type ownKey struct {
	pod     types.UID
	address netip.AddrPort
}

// maxCarriers bounds how many destinations have a relay: a program that connects to more has no
// dependencies, but customers.
const maxCarriers = 256

// New makes a watcher. Nothing runs before the first process.
func New(opts Options, host Host) *Watcher {
	w := &Watcher{
		opts: opts, host: host, groups: map[string]*group{}, carriers: map[destination]*carrier{},
		declared: map[netip.AddrPort]string{}, own: map[ownKey]bool{}, unix: map[string]map[string]bool{}, sent: map[string]map[string]bool{},
	}
	if w.host.Notice == nil {
		w.host.Notice = func(string) {}
	}
	w.try = sync.OnceValue(func() error {
		if opts.Blind {
			return errors.New("it was asked for")
		}
		return host.TryConnects()
	})
	return w
}

// CannotWatch is why connections cannot be watched on this machine; nil if they can.
func (w *Watcher) CannotWatch() error {
	if err := w.try(); err != nil {
		return fmt.Errorf("connections of programs cannot be watched on this machine (%w): name the variable that says where a dependency is", err)
	}
	return nil
}

// Dependencies lists what was found so far, by name.
func (w *Watcher) Dependencies() []Dependency {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []Dependency
	for _, name := range slices.Sorted(maps.Keys(w.groups)) {
		d := w.groups[name].Dependency
		if !d.Address.IsValid() {
			continue // nobody has used it yet
		}
		d.Pods = slices.Sorted(maps.Keys(w.groups[name].users))
		all = append(all, d)
	}
	return all
}

// SetMode has connections to a dependency go on as mode says, until undo. A dependency of
// [Options.Variables] need not have been found yet. Undo can be called more than once; it leaves a
// mode alone that was set later.
func (w *Watcher) SetMode(name string, mode relay.Mode) (undo func() error, err error) {
	if err := mode.Check(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.groups[name]
	if _, ok := w.opts.Variables[name]; g == nil && ok {
		g = w.groupLocked(name, "variable "+name)
	}
	switch {
	case w.closed:
		return nil, errors.New("the run has ended")
	case g == nil:
		return nil, fmt.Errorf("no Pod has connected to %s: there is %s", name, cmp.Or(strings.Join(slices.Sorted(maps.Keys(w.groups)), ", "), "nothing that one has connected to"))
	case g.Refused != "":
		return nil, fmt.Errorf("%s cannot be broken: %s", name, g.Refused)
	}
	if err := w.setLocked(g, mode); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot break %s: %w", name, err), w.setLocked(g, relay.Mode{}))
	}
	mine := g.changes
	return func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if g.changes != mine || w.closed {
			return nil
		}
		if err := w.setLocked(g, relay.Mode{}); err != nil {
			return fmt.Errorf("cannot mend %s: %w", name, err)
		}
		return nil
	}, nil
}

func (w *Watcher) setLocked(g *group, mode relay.Mode) error {
	g.mode, g.until = mode, time.Time{}
	g.changes++
	if mode.For > 0 {
		g.until = time.Now().Add(mode.For)
	}
	var failed error
	for _, c := range w.carriers {
		if c.group == g && c.relay != nil {
			failed = errors.Join(failed, c.relay.SetMode(mode))
		}
	}
	return failed
}

// modeNow is what a relay begins with that is made now.
func (g *group) modeNow(now time.Time) relay.Mode {
	mode := g.mode
	if !g.until.IsZero() {
		if mode.For = g.until.Sub(now); mode.For <= 0 {
			return relay.Mode{}
		}
	}
	return mode
}

// ownTime is how long a Pod is asked at most whether it listens at an address itself.
const ownTime = time.Second

// route says where a connection of a Pod leads.
func (w *Watcher) route(pod *corev1.Pod, c process.Connect) process.Route {
	name := pod.Namespace + "/" + pod.Name
	switch {
	case c.Network == "unix":
		w.noteUnix(name, c.Path)
		return process.Route{}
	case c.Address.Port() == 0:
		return process.Route{}
	}
	to := destinationOf(c.Network, c.Address)
	if c.Network == "udp" && to.address.Port() != dnsPort {
		if c.Unconnected {
			w.noteDatagrams(pod, to.address)
		}
		return process.Route{}
	}
	if w.isOwn(pod, to.address) {
		return process.Route{}
	}
	through := w.use(name, to)
	if through == nil {
		return process.Route{}
	}
	if datagrams, ok := through.(*relay.Datagrams); ok && c.Unconnected {
		if datagrams.Passes() {
			return process.Route{}
		}
		return process.Route{Keep: keeper{datagrams}}
	}
	if errno := through.Reach(); errno != 0 {
		return process.Route{Refused: errno}
	}
	return process.Route{To: through.Address()}
}

// keeper gives what is sent without a connection to a relay.
type keeper struct{ through *relay.Datagrams }

func (k keeper) Keep(d *process.Datagram) { k.through.Keep(d) }

// isOwn reports whether a Pod connects to itself.
func (w *Watcher) isOwn(pod *corev1.Pod, address netip.AddrPort) bool {
	if !address.Addr().IsLoopback() {
		return false
	}
	if now := w.host.Pod(pod.Namespace, pod.Name, ""); now != nil && now.UID == pod.UID {
		pod = now // its address may have come since
	}
	if ownPort(pod, address) {
		return true
	}
	key := ownKey{pod.UID, address}
	w.mu.Lock()
	own, known := w.own[key]
	w.mu.Unlock()
	if known {
		return own
	}
	ctx, cancel := context.WithTimeout(context.Background(), ownTime)
	defer cancel()
	own = w.host.Listens(ctx, pod.UID, address) == nil
	w.mu.Lock()
	defer w.mu.Unlock()
	w.own[key] = own
	return own
}

// use counts a connection, and returns the relay to its destination; nil if it is left alone.
func (w *Watcher) use(pod string, to destination) carries {
	services := w.host.Services()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	c := w.carriers[to]
	if c == nil {
		c = w.carrierOfRelayLocked(to.address)
	}
	if c != nil {
		c.group.countLocked(pod)
		if c.relay != nil && c.relay.Address() == to.address {
			return nil // it knows the relay, by a variable
		}
		return c.relay
	}
	if len(w.carriers) >= maxCarriers {
		w.full = true
		return nil
	}
	name, sort := naming{w.declared, services}.name(to)
	c = w.carrierLocked(to, w.groupLocked(name, sort))
	c.group.countLocked(pod)
	return c.relay
}

func (w *Watcher) carrierOfRelayLocked(address netip.AddrPort) *carrier {
	for _, c := range w.carriers {
		if c.relay != nil && c.relay.Address() == address {
			return c
		}
	}
	return nil
}

// groupLocked is the dependency of a name, or of another name if that stands for something else.
func (w *Watcher) groupLocked(name, sort string) *group {
	for _, g := range w.groups {
		if g.sort == sort {
			return g
		}
	}
	unique := name
	for n := 2; w.groups[unique] != nil; n++ {
		unique = fmt.Sprintf("%s-%d", name, n)
	}
	g := &group{Dependency: Dependency{Name: unique}, sort: sort, users: map[string]bool{}}
	if mode, ok := w.opts.Modes[unique]; ok {
		g.mode = mode
		if mode.For > 0 {
			g.until = time.Now().Add(mode.For)
		}
	}
	w.groups[unique] = g
	return g
}

// carrierLocked makes the relay to a destination.
func (w *Watcher) carrierLocked(to destination, g *group) *carrier {
	c := &carrier{group: g}
	w.carriers[to] = c
	if !g.Address.IsValid() {
		g.Network, g.Address = to.network, to.address
	}
	if !to.address.Addr().IsLoopback() && !w.opts.AllowRemote {
		g.Refused = fmt.Sprintf("%s is on another machine, and nothing beyond this one is touched unless that is allowed", to.address)
		return c
	}
	opts := relay.Options{Target: to.address, AllowRemote: w.opts.AllowRemote, ReachTime: w.reachTime, Mode: g.modeNow(time.Now())}
	var err error
	if to.network == "udp" {
		var d *relay.Datagrams
		if d, err = relay.NewDatagrams(opts); err == nil {
			c.relay = d
		}
	} else {
		var r *relay.Relay
		if r, err = relay.New(opts); err == nil {
			c.relay = r
		}
	}
	if err != nil {
		g.Refused = err.Error()
	}
	return c
}

func (g *group) countLocked(pod string) {
	g.Connects++
	g.users[pod] = true
}

// Close ends all relays, and with them the connections that they carry.
func (w *Watcher) Close() error {
	w.mu.Lock()
	w.closed = true
	carriers := w.carriers
	w.mu.Unlock()
	var failed error
	for _, c := range carriers { // nobody adds to them any more
		if c.relay != nil {
			failed = errors.Join(failed, c.relay.Close())
		}
	}
	return failed
}

var _ process.Starter = (*Watcher)(nil)
