package names

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const machineHosts = `127.0.0.1 localhost dev.example.com
127.0.1.1	laptop.lan laptop	# this machine
::1     localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
fe80::1%lo0 link
10.0.0.9 STORE alias other
not-an-address name
10.0.0.8
`

const kubeletHead = "# Kubernetes-managed hosts file.\n" +
	"127.0.0.1\tlocalhost\n" +
	"::1\tlocalhost ip6-localhost ip6-loopback\n" +
	"fe00::0\tip6-localnet\n" +
	"fe00::0\tip6-mcastprefix\n" +
	"fe00::1\tip6-allnodes\n" +
	"fe00::2\tip6-allrouters\n"

const machineLines = "\n# From the hosts file of this machine.\n" +
	"127.0.0.1\tdev.example.com\n127.0.1.1\tlaptop.lan\tlaptop\nfe80::1%lo0\tlink\n10.0.0.9\tSTORE\talias\tother\n"

const aliasText = "\n# Entries added by HostAliases.\n10.0.0.1\talias\tother\n10.0.0.2\tthird\n"

func exampleAliases() []corev1.HostAlias {
	return []corev1.HostAlias{{IP: "10.0.0.1", Hostnames: []string{"alias", "other"}}, {IP: "10.0.0.2", Hostnames: []string{"third"}}}
}

func exampleRecords() []Record {
	return []Record{
		{"billing", "store", netip.MustParseAddr("127.77.0.2")}, {"shop", "db", netip.MustParseAddr("127.77.16.2")}, {"shop", "db", netip.MustParseAddr("127.77.16.3")},
		{"shop", "db-0.db", netip.MustParseAddr("127.77.16.2")}, {"shop", "store", netip.MustParseAddr("127.77.0.1")},
	}
}

const recordText = "\n# Services and Pods, in place of a DNS server.\n" +
	"127.77.0.2\tstore.billing\tstore.billing.svc\tstore.billing.svc.cluster.local\tstore.billing.svc.cluster.local.\n" +
	"127.77.16.2\tdb\tdb.shop\tdb.shop.svc\tdb.shop.svc.cluster.local\tdb.shop.svc.cluster.local.\n" +
	"127.77.16.3\tdb\tdb.shop\tdb.shop.svc\tdb.shop.svc.cluster.local\tdb.shop.svc.cluster.local.\n" +
	"127.77.16.2\tdb-0.db\tdb-0.db.shop\tdb-0.db.shop.svc\tdb-0.db.shop.svc.cluster.local\tdb-0.db.shop.svc.cluster.local.\n" +
	"127.77.0.1\tstore\tstore.shop\tstore.shop.svc\tstore.shop.svc.cluster.local\tstore.shop.svc.cluster.local.\n"

func TestHostsFile(t *testing.T) {
	one := []string{"127.77.16.9"}
	tests := []struct {
		name    string
		spec    corev1.PodSpec
		ips     []string
		own     Hostname
		records []Record
		machine string
		want    string
	}{
		{name: "as the kubelet's", ips: one, own: Hostname{Name: "web"}, want: kubeletHead + "127.77.16.9\tweb\n"},
		{name: "domain, two addresses, aliases", spec: corev1.PodSpec{HostAliases: exampleAliases()}, ips: []string{"127.77.16.9", "fd00::9"},
			own:  Hostname{Name: "web", Domain: "sub.shop.svc.cluster.local"},
			want: kubeletHead + "127.77.16.9\tweb.sub.shop.svc.cluster.local\tweb\nfd00::9\tweb.sub.shop.svc.cluster.local\tweb\n" + aliasText},
		{name: "records", ips: one, own: Hostname{Name: "web"}, records: exampleRecords(), want: kubeletHead + "127.77.16.9\tweb\n" + recordText},
		{name: "machine", ips: one, own: Hostname{Name: "web"}, machine: machineHosts, want: kubeletHead + "127.77.16.9\tweb\n" + machineLines},
		{name: "the Pod's own name and an alias come before records, records before the machine", ips: one,
			spec: corev1.PodSpec{HostAliases: []corev1.HostAlias{{IP: "10.0.0.1", Hostnames: []string{"db", "alias"}}}},
			own:  Hostname{Name: "store"}, records: exampleRecords()[2:], machine: "10.0.0.9 Store.shop store alias kept\n10.0.0.8 db\n",
			want: kubeletHead + "127.77.16.9\tstore\n\n# Services and Pods, in place of a DNS server.\n" +
				"127.77.16.3\tdb.shop\tdb.shop.svc\tdb.shop.svc.cluster.local\tdb.shop.svc.cluster.local.\n" +
				"127.77.16.2\tdb-0.db\tdb-0.db.shop\tdb-0.db.shop.svc\tdb-0.db.shop.svc.cluster.local\tdb-0.db.shop.svc.cluster.local.\n" +
				"127.77.0.1\tstore.shop\tstore.shop.svc\tstore.shop.svc.cluster.local\tstore.shop.svc.cluster.local.\n" +
				"\n# From the hosts file of this machine.\n10.0.0.9\tkept\n" +
				"\n# Entries added by HostAliases.\n10.0.0.1\tdb\talias\n"},
		{name: "host network", spec: corev1.PodSpec{HostNetwork: true, HostAliases: exampleAliases()}, ips: one, own: Hostname{Name: "laptop"}, records: exampleRecords(),
			machine: machineHosts, want: "# Kubernetes-managed hosts file (host network).\n" + machineHosts + aliasText},
		{name: "host network with the cluster's DNS", spec: corev1.PodSpec{HostNetwork: true, DNSPolicy: corev1.DNSClusterFirstWithHostNet}, ips: one, own: Hostname{Name: "laptop"},
			records: exampleRecords()[4:], machine: "10.0.0.9 store",
			want: "# Kubernetes-managed hosts file (host network).\n10.0.0.9 store\n\n# Services and Pods, in place of a DNS server.\n" +
				"127.77.0.1\tstore.shop\tstore.shop.svc\tstore.shop.svc.cluster.local\tstore.shop.svc.cluster.local.\n"},
		{name: "no DNS of the cluster", spec: corev1.PodSpec{DNSPolicy: corev1.DNSDefault}, ips: one, own: Hostname{Name: "web"}, records: exampleRecords(),
			want: kubeletHead + "127.77.16.9\tweb\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: tt.spec}
			if diff := cmp.Diff(tt.want, HostsFile(pod, tt.ips, tt.own, tt.records, tt.machine)); diff != "" {
				t.Errorf("hosts file (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPadded(t *testing.T) {
	for _, tt := range []struct{ length, size, want int }{
		{0, 0, 4096}, {1, 0, 8192}, {4096, 0, 8192}, {4097, 0, 12288}, // a new one: room for 4 KiB more
		{100, 8192, 8192}, {8192, 8192, 8192}, {8193, 8192, 16384}, // one that is there: it grows if it has to
	} {
		text := strings.Repeat("x", tt.length)
		got := Padded(text, tt.size)
		if len(got) != tt.want || string(got[:tt.length]) != text || strings.TrimSpace(string(got[tt.length:])) != "" || len(got) > tt.length && got[len(got)-1] != '\n' {
			t.Errorf("%d bytes in a file of %d: %d bytes, want %d", tt.length, tt.size, len(got), tt.want)
		}
	}
}

// FuzzHostsFile: whatever the machine's file holds, names of ours keep their addresses.
func FuzzHostsFile(f *testing.F) {
	f.Add(machineHosts)
	f.Add("10.0.0.1 store\r\n10.0.0.2\tstore#x\n10.0.0.3 a\x00store")
	f.Fuzz(func(t *testing.T, machine string) {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}
		text := HostsFile(pod, []string{"127.77.16.9"}, Hostname{Name: "web"}, exampleRecords(), machine)
		if !strings.HasPrefix(text, kubeletHead+"127.77.16.9\tweb\n"+recordText) {
			t.Fatalf("the head has changed:\n%q", text)
		}
		found := map[string][]string{}
		for _, e := range parseHosts(text) {
			for _, name := range e.names {
				found[strings.ToLower(name)] = append(found[strings.ToLower(name)], e.address)
			}
		}
		for name, want := range map[string][]string{"store": {"127.77.0.1"}, "web": {"127.77.16.9"}, "db": {"127.77.16.2", "127.77.16.3"}} {
			if diff := cmp.Diff(want, found[name]); diff != "" {
				t.Fatalf("addresses of %s (-want +got):\n%s", name, diff)
			}
		}
	})
}
