package system

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/program"
)

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
			s.Annotations = map[string]string{manifest.AnnotationAddress + "80": "127.77.0.2:8080"}
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
		s.Annotations = map[string]string{manifest.AnnotationAddress + "80": "127.77.0.2:8080"}
	})
	n.service("taken", "127.77.0.3", 80)
	n.change("taken", func(s *corev1.Service) { s.Annotations = map[string]string{manifest.AnnotationUnnamed: "x"} })
	for value, want := range map[string]string{
		"store.default": "127.77.0.1", "store:9090": "127.77.0.1:9090", "store:1": "store:1",
		"moved.default": "moved.default", "http://moved": "http://127.77.0.2:8080", "taken:80": "taken:80",
	} {
		if got := n.Variable(namedPod(), "app", program.Variable{Name: "V", Value: value}); got != want {
			t.Errorf("%s becomes %s, want %s", value, got, want)
		}
	}
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
