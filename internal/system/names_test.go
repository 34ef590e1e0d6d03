package system

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// fakeNamespaces are a shepherd that refuses namespaces with an error, or does as if it made them.
type fakeNamespaces struct {
	err       error
	tried     []process.Namespace
	forgotten []string
}

func (f *fakeNamespaces) TryNamespace(n process.Namespace) error {
	f.tried = append(f.tried, n)
	return f.err
}

func (f *fakeNamespaces) ForgetNamespace(key string) error {
	f.forgotten = append(f.forgotten, key)
	return nil
}

// namesTest is a hostNames whose machine is called laptop and whose hosts file has one line.
type namesTest struct {
	*hostNames
	t          *testing.T
	namespaces *fakeNamespaces
	notices    []string
}

func newNamesTest(t *testing.T, mode Names, refused error) *namesTest {
	n := &namesTest{t: t, namespaces: &fakeNamespaces{err: refused}}
	objects := store.New(store.Options{Kinds: store.Kubernetes()})
	n.hostNames = newHostNames(mode, objects, n.namespaces, t.TempDir(), Options{Notice: func(line string) { n.notices = append(n.notices, line) }}.withDefaults())
	n.host = hostFiles{name: "laptop", hosts: func() string { return "10.0.0.9 machine\n" }, uid: 1000, sysctl: func(string) string { return "" }}
	return n
}

func (n *namesTest) service(name, clusterIP string, ports ...int32) {
	n.t.Helper()
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}, Spec: corev1.ServiceSpec{ClusterIP: clusterIP}}
	for _, p := range ports {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Port: p})
	}
	if _, err := store.Create(n.store, s); err != nil {
		n.t.Fatal(err)
	}
}

func (n *namesTest) change(name string, change func(*corev1.Service)) {
	n.t.Helper()
	if _, err := store.Modify(n.store, "default", name, func(s *corev1.Service) error { change(s); return nil }); err != nil {
		n.t.Fatal(err)
	}
}

func namedPod(change ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", UID: "u1"}}
	pod.Status.PodIPs = []corev1.PodIP{{IP: "127.77.16.9"}}
	for _, f := range change {
		f(pod)
	}
	return pod
}

// fileOf is the hosts file of a Pod, without what it is filled up with.
func fileOf(t *testing.T, n *process.Namespace) string {
	t.Helper()
	if n == nil || len(n.Binds) == 0 || n.Binds[0].Target != "/etc/hosts" {
		t.Fatalf("the namespace %+v has no hosts file", n)
	}
	data, err := os.ReadFile(n.Binds[0].Source)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(string(data), " \n") + "\n"
}

const (
	fileHead = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n" +
		"fe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n127.77.16.9\tweb\n"
	recordsHead = "\n# Services and Pods, in place of a DNS server.\n"
	fileTail    = "\n# From the hosts file of this machine.\n10.0.0.9\tmachine\n"
)

func line(ip, name string) string {
	return ip + "\t" + strings.Join([]string{name, name + ".default", name + ".default.svc", name + ".default.svc.cluster.local", name + ".default.svc.cluster.local."}, "\t") + "\n"
}

// TestHostsFileOfPod: it is there, whole, before the first process; it follows the Services, in
// place; and it goes away with the Pod.
func TestHostsFileOfPod(t *testing.T) {
	n := newNamesTest(t, NamesAuto, nil)
	n.service("store", "127.77.0.1", 8080)
	prepared, err := n.Prepare(namedPod())
	if err != nil {
		t.Fatal(err)
	}
	if prepared.Hostname != "web" || prepared.Namespace.Hostname != "web" || prepared.Namespace.Key != "u1" {
		t.Errorf("prepared %+v, %+v", prepared, prepared.Namespace)
	}
	check := func(when, want string) {
		t.Helper()
		if diff := cmp.Diff(want, fileOf(t, prepared.Namespace)); diff != "" {
			t.Errorf("hosts file %s (-want +got):\n%s", when, diff)
		}
	}
	check("at first", fileHead+recordsHead+line("127.77.0.1", "store")+fileTail)
	before, err := os.Stat(prepared.Namespace.Binds[0].Source)
	if err != nil {
		t.Fatal(err)
	}
	synctestRun(t, n, func() {
		n.service("db", corev1.ClusterIPNone)
		slice := &discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Name: "db-1", Namespace: "default", Labels: map[string]string{discoveryv1.LabelServiceName: "db"}},
			AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"127.77.16.2"}, Hostname: new("db-0")}},
		}
		if _, err := store.Create(n.store, slice); err != nil {
			t.Fatal(err)
		}
	})
	check("with a ready Pod of a headless Service", fileHead+recordsHead+line("127.77.16.2", "db")+line("127.77.16.2", "db-0.db")+line("127.77.0.1", "store")+fileTail)
	synctestRun(t, n, func() {
		n.change("store", func(s *corev1.Service) {
			s.Annotations = map[string]string{manifest.AnnotationUnnamed: "another program has the port"}
		})
		if err := store.Delete[*corev1.Service](n.store, "default", "db", store.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	})
	check("without names", fileHead+fileTail)
	after, err := os.Stat(prepared.Namespace.Binds[0].Source)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) || after.Size() != before.Size() || after.Mode().Perm() != 0o644 {
		t.Errorf("the file was %v, and is %v", before, after)
	}
	if err := n.Release(namedPod()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(prepared.Namespace.Binds[0].Source); !os.IsNotExist(err) {
		t.Errorf("the file is left: %v", err)
	}
	if diff := cmp.Diff([]string{"u1"}, n.namespaces.forgotten); diff != "" {
		t.Errorf("forgotten namespaces (-want +got):\n%s", diff)
	}
}

// synctestRun has the hosts files follow the store while do changes it.
func synctestRun(t *testing.T, n *namesTest, do func()) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- n.run(ctx) }()
		synctest.Wait()
		do()
		synctest.Wait()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run = %v", err)
		}
	})
}

// TestHostsFileIsNeverEmpty: who reads it while it is rewritten finds a whole text.
func TestHostsFileIsNeverEmpty(t *testing.T) {
	n := newNamesTest(t, NamesAuto, nil)
	n.service("store", "127.77.0.1")
	prepared, err := n.Prepare(namedPod())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Release(namedPod())
	done := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			data, err := os.ReadFile(prepared.Namespace.Binds[0].Source)
			if err != nil || !strings.Contains(string(data), "\tstore\t") || !strings.HasPrefix(string(data), fileHead) {
				t.Errorf("read %d bytes, %v: not a whole file", len(data), err)
				return
			}
		}
	})
	for i := range 2000 {
		n.change("store", func(s *corev1.Service) {
			s.Spec.ClusterIP = fmt.Sprintf("127.77.%d.%d", 100+i/100, 100+i%100)
		})
		n.refresh()
	}
	close(done)
	reading.Wait()
}

// TestWhoGetsNames: a hosts file only where it says something, HOSTNAME always.
func TestWhoGetsNames(t *testing.T) {
	onHost := func(p *corev1.Pod) { p.Spec.HostNetwork = true }
	tests := map[string]struct {
		mode         Names
		noService    bool
		refused      error
		change       func(*corev1.Pod)
		wantHostname string
		wantFile     bool
		kernelName   string
	}{
		"a Service":                   {wantHostname: "web", wantFile: true, kernelName: "web"},
		"no Service":                  {noService: true, wantHostname: "web"},
		"no Service, but a wish":      {noService: true, change: func(p *corev1.Pod) { p.Spec.Hostname = "front" }, wantHostname: "front", wantFile: true, kernelName: "front"},
		"off":                         {mode: NamesOff, wantHostname: "web"},
		"env":                         {mode: NamesEnv, wantHostname: "web"},
		"off for the Pod":             {change: func(p *corev1.Pod) { p.Annotations = map[string]string{manifest.AnnotationNames: manifest.NamesOff} }, wantHostname: "web"},
		"refused":                     {refused: &process.NamespaceError{Step: process.StepUnshare, Err: syscall.EPERM}, wantHostname: "web"},
		"on the host's network":       {change: onHost, wantHostname: "laptop"},
		"on the host's network, wish": {change: func(p *corev1.Pod) { onHost(p); p.Spec.HostAliases = []corev1.HostAlias{{IP: "10.0.0.1"}} }, wantHostname: "laptop", wantFile: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := newNamesTest(t, tt.mode, tt.refused)
			if !tt.noService {
				n.service("store", "127.77.0.1")
			}
			pod := namedPod()
			if tt.change != nil {
				tt.change(pod)
			}
			prepared, err := n.Prepare(pod)
			if err != nil {
				t.Fatal(err)
			}
			if prepared.Hostname != tt.wantHostname || (prepared.Namespace != nil) != tt.wantFile {
				t.Errorf("HOSTNAME %q, file %v, want %q, %v", prepared.Hostname, prepared.Namespace != nil, tt.wantHostname, tt.wantFile)
			}
			if prepared.Namespace != nil && prepared.Namespace.Hostname != tt.kernelName {
				t.Errorf("the kernel's host name is %q, want %q", prepared.Namespace.Hostname, tt.kernelName)
			}
			if err := n.Release(pod); err != nil {
				t.Error(err)
			}
		})
	}
	n := newNamesTest(t, NamesOff, nil)
	if _, err := n.Prepare(namedPod(func(p *corev1.Pod) {
		p.Spec.Hostname, p.Spec.Subdomain, p.Spec.SetHostnameAsFQDN = strings.Repeat("x", 40), "sub", new(true)
	})); err == nil || !strings.Contains(err.Error(), "is too long (64 characters is the max") {
		t.Errorf("a full name that is too long: %v", err)
	}
}

// TestExternalNames: their addresses are asked for at once and every 30 seconds, and are kept when
// nobody answers.
func TestExternalNames(t *testing.T) {
	n := newNamesTest(t, NamesAuto, nil)
	answers := []string{"", "93.184.215.14", "93.184.215.15", ""}
	n.resolve = func(_ context.Context, name string) ([]netip.Addr, error) {
		answer := answers[0]
		answers = answers[min(1, len(answers)-1):] // the last one for ever
		if answer == "" {
			return nil, errors.New("no such host")
		}
		return []netip.Addr{netip.MustParseAddr(answer)}, nil
	}
	synctestRun(t, n, func() {
		n.service("out", "")
		n.change("out", func(s *corev1.Service) {
			s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "example.com"
		})
		prepared, err := n.Prepare(namedPod())
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"", "93.184.215.14", "93.184.215.15", "93.184.215.15"} {
			synctest.Wait()
			text := fileHead + fileTail
			if want != "" {
				text = fileHead + recordsHead + line(want, "out") + fileTail
			}
			if diff := cmp.Diff(text, fileOf(t, prepared.Namespace)); diff != "" {
				t.Errorf("hosts file after answer %d (-want +got):\n%s", i, diff)
			}
			time.Sleep(resolvePeriod)
		}
		events, _ := store.List[*corev1.Event](n.store, store.Selector{})
		if len(events) != 1 || events[0].Message != "programs do not find out, as example.com has no address here: no such host" {
			t.Errorf("Events %v", events)
		}
		if err := n.Release(namedPod()); err != nil {
			t.Error(err)
		}
	})
}

// TestServicesFirst: who is told of a Pod finds all Services of its manifest; the lines are in the
// order of the manifest.
func TestServicesFirst(t *testing.T) {
	service := "\napiVersion: v1\nkind: Service\nmetadata: {name: store}\nspec: {ports: [{port: 80}]}\n"
	s := full(1)
	lines, err := s.applier.apply("f", parsed(t, podText, configText, service), true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"pod/job created", "configmap/settings created", "service/store created"}, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	pod, err := store.Get[*corev1.Pod](s.store, "default", "job")
	if err != nil {
		t.Fatal(err)
	}
	made, err := store.Get[*corev1.Service](s.store, "default", "store")
	if err != nil {
		t.Fatal(err)
	}
	first, second := made.ResourceVersion, pod.ResourceVersion
	if len(first) > len(second) || len(first) == len(second) && first > second {
		t.Errorf("the Service was made at %s, and the Pod at %s", first, second)
	}
}

// TestNewPodHidesNoChange: what a new Pod is told in passing is told to the others as well.
func TestNewPodHidesNoChange(t *testing.T) {
	n := newNamesTest(t, NamesAuto, nil)
	n.service("store", "127.77.0.1", 8080)
	first, err := n.Prepare(namedPod())
	if err != nil {
		t.Fatal(err)
	}
	n.service("cart", "127.77.0.2", 8080)
	second := namedPod()
	second.Name, second.UID = "second", "u2"
	if _, err := n.Prepare(second); err != nil {
		t.Fatal(err)
	}
	n.refresh()
	if text := fileOf(t, first.Namespace); !strings.Contains(text, "cart.default") {
		t.Errorf("the first Pod's hosts file lacks the new Service:\n%s", text)
	}
}
