package system

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
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
	"github.com/probity-run/probity/internal/names"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/program"
	"github.com/probity-run/probity/internal/proxy"
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
			s.Annotations = map[string]string{names.AnnotationUnnamed: "another program has the port"}
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

// TestRefusedNames: it is said once, and what the variables would have to be; --names=env does it.
func TestRefusedNames(t *testing.T) {
	variables := []program.Variable{
		{Name: "STORE", Value: "http://store:8080/x"}, {Name: "FRONT", Value: "frontend:80"}, {Name: "PASSWORD_URL", Value: "redis://:pw@store:8080", Secret: true},
		{Name: "WORD", Value: "store"}, {Name: "LATER", Value: "later:80"},
	}
	prepare := func(t *testing.T, mode Names, refused error) (n *namesTest, got []string) {
		n = newNamesTest(t, mode, refused)
		n.service("store", "127.77.0.1", 8080)
		n.service("frontend", "127.77.0.2", 80)
		n.change("frontend", func(s *corev1.Service) {
			s.Annotations = map[string]string{proxy.AnnotationAddress + "80": "127.77.0.2:8080"}
		})
		n.service("later", "", 80)
		pod := namedPod()
		for range 2 {
			got = nil
			if _, err := n.Prepare(pod); err != nil {
				t.Fatal(err)
			}
			for _, v := range variables {
				got = append(got, n.Variable(pod, "app", v))
			}
		}
		return n, got
	}
	var unchanged []string
	for _, v := range variables {
		unchanged = append(unchanged, v.Value)
	}
	t.Run("refused", func(t *testing.T) {
		n, got := prepare(t, NamesAuto, &process.NamespaceError{Step: process.StepUnshare, Err: syscall.EPERM})
		if diff := cmp.Diff(unchanged, got); diff != "" {
			t.Errorf("variables (-want +got):\n%s", diff)
		}
		want := []string{
			"probity: programs do not find Services by name here, because Pods can have no hosts file of their own (unshare: operation not permitted): a container's seccomp filter " +
				"keeps it from programs (`docker run --cap-add SYS_ADMIN` lifts that), or probity runs in a chroot; variables such as STORE_SERVICE_HOST work all the same, and " +
				"--names=env puts working addresses into variables that name a Service",
			`probity: STORE of container app names a Service, which is not found by name here: it would have to be "http://127.77.0.1:8080/x"`,
			`probity: FRONT of container app names a Service, which is not found by name here: it would have to be "127.77.0.2:8080"`,
			`probity: PASSWORD_URL of container app names a Service, which is not found by name here: it would have to be an address in the place of that`,
		}
		if diff := cmp.Diff(want, n.notices); diff != "" {
			t.Errorf("notices (-want +got):\n%s", diff)
		}
		if len(n.namespaces.tried) != 1 {
			t.Errorf("it was tried %d times", len(n.namespaces.tried))
		}
	})
	t.Run("env", func(t *testing.T) {
		n, got := prepare(t, NamesEnv, errors.New("not tried"))
		want := []string{"http://127.77.0.1:8080/x", "127.77.0.2:8080", "redis://:pw@127.77.0.1:8080", "store", "later:80"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("variables (-want +got):\n%s", diff)
		}
		if len(n.notices) > 0 {
			t.Errorf("notices %q", n.notices)
		}
	})
	for _, mode := range []Names{NamesAuto, NamesOff} {
		if n, got := prepare(t, mode, nil); !slices.Equal(got, unchanged) || len(n.notices) > 0 {
			t.Errorf("--names=%s: variables %q, notices %q", mode, got, n.notices)
		}
	}
}

// TestWorkingAddress: a program that adds the port itself is led only to where that port works.
func TestWorkingAddress(t *testing.T) {
	n := newNamesTest(t, NamesEnv, nil)
	n.service("store", "127.77.0.1", 8080, 9090)
	n.service("moved", "127.77.0.2", 80)
	n.change("moved", func(s *corev1.Service) {
		s.Annotations = map[string]string{proxy.AnnotationAddress + "80": "127.77.0.2:8080"}
	})
	n.service("taken", "127.77.0.3", 80)
	n.change("taken", func(s *corev1.Service) { s.Annotations = map[string]string{names.AnnotationUnnamed: "x"} })
	for value, want := range map[string]string{
		"store.default": "127.77.0.1", "store:9090": "127.77.0.1:9090", "store:1": "store:1",
		"moved.default": "moved.default", "http://moved": "http://127.77.0.2:8080", "taken:80": "taken:80",
	} {
		if got := n.Variable(namedPod(), "app", program.Variable{Name: "V", Value: value}); got != want {
			t.Errorf("%s becomes %s, want %s", value, got, want)
		}
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

// TestMoreBinds: what would answer before the hosts file is put aside.
func TestMoreBinds(t *testing.T) {
	n := newNamesTest(t, NamesAuto, nil)
	dir := t.TempDir()
	n.host.nsswitch, n.host.nscd = filepath.Join(dir, "nsswitch.conf"), filepath.Join(dir, "nscd")
	binds := func() []process.Bind {
		t.Helper()
		binds, err := n.moreBinds()
		if err != nil {
			t.Fatal(err)
		}
		return binds
	}
	if got := binds(); len(got) != 0 {
		t.Errorf("binds over what is not there: %v", got)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(n.host.nsswitch, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("hosts: files dns\n")
	if got := binds(); len(got) != 0 {
		t.Errorf("binds over what is right: %v", got)
	}
	write("hosts: resolve [!UNAVAIL=return] files\n")
	if err := os.Mkdir(n.host.nscd, 0o755); err != nil {
		t.Fatal(err)
	}
	want := []process.Bind{
		{Source: filepath.Join(n.dir, "nsswitch.conf"), Target: n.host.nsswitch}, {Source: filepath.Join(n.dir, "nscd"), Target: n.host.nscd},
	}
	if diff := cmp.Diff(want, binds()); diff != "" {
		t.Fatalf("binds (-want +got):\n%s", diff)
	}
	text, err := os.ReadFile(want[0].Source)
	if err != nil || string(text) != "hosts: files resolve [!UNAVAIL=return]\n" {
		t.Errorf("nsswitch.conf inside: %q, %v", text, err)
	}
	if entries, err := os.ReadDir(want[1].Source); err != nil || len(entries) > 0 {
		t.Errorf("the folder of nscd inside: %v, %v", entries, err)
	}
}

func TestRemedy(t *testing.T) {
	for _, tt := range []struct {
		step   process.NamespaceStep
		path   string
		errno  syscall.Errno
		root   bool
		sysctl string
		want   string // part of the text
	}{
		{step: process.StepUnshare, errno: syscall.ENOSYS, want: "only Linux"},
		{step: process.StepUnshare, errno: syscall.EPERM, root: true, want: "--cap-add SYS_ADMIN"},
		{step: process.StepUnshare, errno: syscall.EPERM, want: "seccomp"},
		{step: process.StepUnshare, errno: syscall.EPERM, sysctl: "kernel.unprivileged_userns_clone=0", want: "`sudo sysctl kernel.unprivileged_userns_clone=1`"},
		{step: process.StepUnshare, errno: syscall.ENOSPC, want: "user.max_user_namespaces"},
		{step: process.StepMaps, errno: syscall.EPERM, sysctl: "kernel.apparmor_restrict_unprivileged_userns=1", want: "`userns,`"},
		{step: process.StepMount, path: "/", errno: syscall.EACCES, sysctl: "kernel.apparmor_restrict_unprivileged_userns=1", want: "Ubuntu"},
		{step: process.StepMount, path: "/", errno: syscall.EACCES, want: "security module"},
		{step: process.StepMount, path: "/", errno: syscall.EINVAL, want: "chroot"},
		{step: process.StepRoot, errno: syscall.EXDEV, root: true, want: "chroot"},
		{step: process.StepMount, path: "/etc/hosts", errno: syscall.ENOENT, want: "no such file"},
		{step: process.StepKeep, errno: syscall.EMFILE, want: "nothing is known"},
	} {
		n := newNamesTest(t, NamesAuto, nil)
		if tt.root {
			n.host.uid = 0
		}
		n.host.sysctl = func(name string) string {
			value, _ := strings.CutPrefix(tt.sysctl, name+"=")
			return map[bool]string{true: value}[value != tt.sysctl]
		}
		e := &process.NamespaceError{Step: tt.step, Path: tt.path, Err: tt.errno}
		if got := n.remedy(e); !strings.Contains(got, tt.want) {
			t.Errorf("%v: %q, want something about %q", e, got, tt.want)
		}
	}
}

// TestServicesFirst: what starts a program knows of all Services of its manifest.
func TestServicesFirst(t *testing.T) {
	service := "\napiVersion: v1\nkind: Service\nmetadata: {name: store}\nspec: {ports: [{port: 80}]}\n"
	var kinds []string
	for _, o := range servicesFirst(parsed(t, podText, configText, service).set.Objects) {
		kinds = append(kinds, o.Ref().Kind)
	}
	if diff := cmp.Diff([]string{"Service", "Pod", "ConfigMap"}, kinds); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
