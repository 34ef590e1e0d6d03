package dependency

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
)

// BlindSpots lists where dependencies of the Pods that run now may be that were not found, by Pod.
// That this process is short of something, so that they cannot be looked for, is one of them.
func (w *Watcher) BlindSpots() []BlindSpot {
	w.mu.Lock()
	w.running = w.livingLocked()
	running := slices.Clone(w.running)
	w.mu.Unlock()
	if len(running) == 0 {
		return nil
	}
	trees := map[string][]int{} // by Pod
	problems := map[string]error{}
	for _, r := range running {
		tree, err := process.Tree(r.process)
		trees[r.pod] = append(trees[r.pod], tree...)
		problems[r.pod] = errors.Join(problems[r.pod], err)
	}
	listening, failed := process.Listeners(0)
	var spots []BlindSpot
	for _, pod := range slices.Sorted(maps.Keys(trees)) {
		outside, err := process.LookOutside(trees[pod])
		texts := w.spotsOf(pod, outside, listening)
		if err := errors.Join(failed, err, problems[pod]); err != nil {
			texts = append(texts, fmt.Sprintf("what it is connected to cannot be listed: %v", err))
		}
		for _, text := range texts {
			spots = append(spots, BlindSpot{pod, text})
		}
	}
	return spots
}

// spotsOf says what of a Pod is not watched.
func (w *Watcher) spotsOf(pod string, outside process.Outside, listening []process.Listener) (texts []string) {
	if err := w.CannotWatch(); err != nil {
		texts = append(texts, err.Error())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.full {
		texts = append(texts, fmt.Sprintf("more than %d addresses are connected to: those that came later are not led through a relay", maxCarriers))
	}
	if len(outside.Rings) > 0 {
		texts = append(texts, fmt.Sprintf("%s an io_uring: connections that are made by that are not seen", processes(outside.Rings, "has", "have")))
	}
	if len(outside.Hidden) > 0 {
		texts = append(texts, fmt.Sprintf("%s not let anybody see what is open: connections may be there that are not seen", processes(outside.Hidden, "does", "do")))
	}
	for _, address := range w.unseenLocked(outside.Connections, listening) {
		texts = append(texts, fmt.Sprintf("a connection to %s was not seen when it was made, as by io_uring or a 32-bit program, or when it was inherited: it is not broken", address))
	}
	for _, address := range slices.Sorted(maps.Keys(w.sent[pod])) {
		texts = append(texts, fmt.Sprintf("it sends datagrams to %s without a connection: only those to port %d can be kept back", address, dnsPort))
	}
	for _, path := range slices.Sorted(maps.Keys(w.unix[pod])) {
		texts = append(texts, fmt.Sprintf("it connects to the socket %s: what answers there is not broken", path))
	}
	return texts
}

func processes(pids []int, one, many string) string {
	if len(pids) == 1 {
		return fmt.Sprintf("process %d %s", pids[0], one)
	}
	return fmt.Sprintf("processes %s %s", strings.Trim(fmt.Sprint(pids), "[]"), many)
}

// unseenLocked are the other ends of connections that go neither through a relay nor to where they
// are left alone, and were not accepted.
func (w *Watcher) unseenLocked(connections []process.Connection, listening []process.Listener) (unseen []netip.AddrPort) {
	known := map[netip.AddrPort]bool{}
	for to, c := range w.carriers {
		if c.relay == nil {
			known[to.address] = true
		} else {
			known[c.relay.Address()] = true
		}
	}
	for key, own := range w.own {
		if own {
			known[key.address] = true
		}
	}
	for _, c := range connections {
		accepted := slices.ContainsFunc(listening, func(l process.Listener) bool { return l.Port == int(c.Local.Port()) })
		// Within the machine, both ends of a connection that somebody accepts are in the list.
		toOwn := slices.ContainsFunc(connections, func(o process.Connection) bool { return o.Local == c.Remote && o.Remote == c.Local })
		if !accepted && !toOwn && !known[c.Remote] && !slices.Contains(unseen, c.Remote) {
			unseen = append(unseen, c.Remote)
		}
	}
	return unseen
}

// commonSockets are those of the system's own services, which are no dependencies of a program.
func commonSockets() []string {
	return []string{"/dev/log", "/run/nscd/", "/var/run/nscd/", "/run/systemd/", "/run/dbus/", "/var/run/dbus/", "/run/user/", "/tmp/.X11-unix/"}
}

// noteUnix remembers that a Pod connects to a socket of the file system, if that is there.
func (w *Watcher) noteUnix(pod, path string) {
	if slices.ContainsFunc(commonSockets(), func(common string) bool { return strings.HasPrefix(path, common) }) {
		return
	}
	if _, err := os.Stat(path); err != nil && !strings.HasPrefix(path, "@") {
		return // nothing answers there; or it is relative to the program's folder, or seen by that alone
	}
	w.note(w.unix, pod, path)
}

// firstOfMany is the first port that kernels choose for programs by themselves, as far as they are
// left to it: a datagram to one beyond it is mostly the answer to whoever has asked.
const firstOfMany = 32768

// noteDatagrams remembers that a Pod sends datagrams to somebody.
func (w *Watcher) noteDatagrams(pod *corev1.Pod, to netip.AddrPort) {
	if to.Port() < firstOfMany && !w.isOwn(pod, to) {
		w.note(w.sent, pod.Namespace+"/"+pod.Name, to.String())
	}
}

// note adds a text to those of a Pod, of which it has a bounded number.
func (w *Watcher) note(all map[string]map[string]bool, pod, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if all[pod] == nil {
		all[pod] = map[string]bool{}
	}
	if len(all[pod]) < maxCarriers {
		all[pod][text] = true
	}
}
