package names

import (
	"net/netip"
	"slices"
	"strings"
)

// hostsEntry is a line of a hosts file: an address and the names for it.
type hostsEntry struct {
	address string
	names   []string
}

// parseHosts reads a hosts file as hosts(5) says. What is no address with a name is left out.
func parseHosts(text string) (entries []hostsEntry) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		if _, err := netip.ParseAddr(fields[0]); err != nil {
			continue
		}
		entries = append(entries, hostsEntry{fields[0], fields[1:]})
	}
	return entries
}

// take adds the names to those that are taken. Names are compared without regard to case.
func (e hostsEntry) take(taken map[string]bool) {
	for _, name := range e.names {
		taken[strings.ToLower(name)] = true
	}
}

// without is the entry without the names that are taken.
func (e hostsEntry) without(taken map[string]bool) hostsEntry {
	return hostsEntry{e.address, slices.DeleteFunc(slices.Clone(e.names), func(name string) bool { return taken[strings.ToLower(name)] })}
}
