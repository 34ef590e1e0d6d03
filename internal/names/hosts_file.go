package names

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// What a kubelet writes at the beginning of a hosts file.
const (
	managed     = "# Kubernetes-managed hosts file.\n"
	managedHost = "# Kubernetes-managed hosts file (host network).\n"
	localhost   = "127.0.0.1\tlocalhost\n" +
		"::1\tlocalhost ip6-localhost ip6-loopback\n" +
		"fe00::0\tip6-localnet\n" +
		"fe00::0\tip6-mcastprefix\n" +
		"fe00::1\tip6-allnodes\n" +
		"fe00::2\tip6-allrouters\n"
	aliasesHeader = "# Entries added by HostAliases.\n"
	// What follows has no counterpart in a kubelet's file: there it is the DNS server's.
	recordsHeader = "# Services and Pods, in place of a DNS server.\n"
	machineHeader = "# From the hosts file of this machine.\n"
)

// HostsFile is the text of a Pod's /etc/hosts: what the kubelet writes there, and in between what a
// cluster's DNS server would answer and what the machine's own hosts file says. Of a name that
// stands in several of these, only the first counts, in the order in which a Pod on a cluster would
// find it: the kubelet's lines and hostAliases, records, the machine. ips are the Pod's addresses.
func HostsFile(pod *corev1.Pod, ips []string, own Hostname, records []Record, machine string) string {
	var head string
	if pod.Spec.HostNetwork {
		head = managedHost + machine
		if machine != "" && !strings.HasSuffix(machine, "\n") {
			head += "\n"
		}
		machine = ""
	} else {
		head = managed + localhost + ownLines(ips, own)
	}
	aliases := aliasLines(pod.Spec.HostAliases)
	taken := map[string]bool{}
	for _, e := range parseHosts(head + aliases) {
		e.take(taken)
	}
	if !usesClusterDNS(&pod.Spec) {
		records = nil
	}
	var ours []hostsEntry
	for _, r := range records {
		ours = append(ours, hostsEntry{r.Address.String(), r.seenFrom(pod.Namespace)}.without(taken))
	}
	// Only now: several records may have one name.
	for _, e := range ours {
		e.take(taken)
	}
	var others []hostsEntry
	for _, e := range parseHosts(machine) {
		others = append(others, e.without(taken))
	}
	return head + section(recordsHeader, ours) + section(machineHeader, others) + aliases
}

// usesClusterDNS reports whether a Pod asks the cluster's DNS server.
func usesClusterDNS(spec *corev1.PodSpec) bool {
	switch spec.DNSPolicy {
	case corev1.DNSClusterFirstWithHostNet:
		return true
	case corev1.DNSDefault, corev1.DNSNone:
		return false
	}
	return !spec.HostNetwork
}

func ownLines(ips []string, own Hostname) string {
	names := own.Name
	if own.Domain != "" {
		names = own.Name + "." + own.Domain + "\t" + own.Name
	}
	var b strings.Builder
	for _, ip := range ips {
		b.WriteString(ip + "\t" + names + "\n")
	}
	return b.String()
}

func aliasLines(aliases []corev1.HostAlias) string {
	if len(aliases) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n" + aliasesHeader)
	for _, a := range aliases {
		b.WriteString(a.IP + "\t" + strings.Join(a.Hostnames, "\t") + "\n")
	}
	return b.String()
}

// section is the lines of entries below a comment; empty if there is none.
func section(header string, entries []hostsEntry) string {
	entries = slices.DeleteFunc(entries, func(e hostsEntry) bool { return len(e.names) == 0 })
	if len(entries) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n" + header)
	for _, e := range entries {
		b.WriteString(e.address + "\t" + strings.Join(e.names, "\t") + "\n")
	}
	return b.String()
}

// spare is how much a hosts file may grow without a change of its size.
const spare = 4 << 10

// blankLine is how long the lines are that fill a file up. Lines without anything would be
// thousands for a person who looks at it.
const blankLine = 256

// Padded fills a text up with blank lines, to the size that its file has, or to a new one, a
// multiple of 4 KiB with room for more. Written by one pwrite, without truncating the file before,
// a reader finds the old text or the new one, but never an empty file.
func Padded(text string, size int) []byte {
	if size == 0 || size < len(text) {
		size = (len(text) + 2*spare - 1) / spare * spare
	}
	padded := make([]byte, size)
	for i := copy(padded, text); i < size; i++ {
		padded[i] = ' '
		if i%blankLine == blankLine-1 || i == size-1 {
			padded[i] = '\n'
		}
	}
	return padded
}
