//go:build drill

package drill

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// machine is one on which something may be missing.
type machine struct {
	name string
	// denied are the system calls that fail with EPERM.
	denied []int
	// user runs the drill as one without rights, if the tests have them.
	user bool
	// declared has the drill told which variable says where the database is.
	declared bool
	// noDisk is why a full disk is told by another error, as a remark says; "" if it is full.
	noDisk string
	// leftOut is what was not tried and why: all of it. DB stands for the name of the database.
	leftOut []string
}

// unwatched is why the dependency is left out where connections cannot be watched; %s is which call
// was refused.
const unwatched = "dependency-outage:DB+1s: connections of programs cannot be watched on this machine (%s): name the variable that says where a dependency is"

func machines() []machine {
	watch := func(refused string) []string { return []string{fmt.Sprintf(unwatched, refused)} }
	filters, namespaces := []int{unix.SYS_SECCOMP}, []int{unix.SYS_UNSHARE}
	noNamespace := "this machine lets no volume be a disk of its own (unshare: operation not permitted)"
	all := slices.Concat(filters, namespaces, []int{unix.SYS_PRLIMIT64})
	return []machine{
		{name: "where nothing is missing"},
		{name: "of an ordinary user", user: true},
		{name: "without filters", denied: filters, leftOut: watch("operation not permitted")},
		{name: "without filters, but with a variable", denied: filters, declared: true},
		{name: "without descriptors of others", denied: []int{unix.SYS_PIDFD_GETFD}, leftOut: watch("operation not permitted")},
		{name: "without memory of others", denied: []int{unix.SYS_PROCESS_VM_READV}, leftOut: watch("the memory of a program cannot be read: operation not permitted")},
		{name: "without namespaces", denied: namespaces, noDisk: noNamespace},
		{name: "of an ordinary user without anything", user: true, denied: all, leftOut: append(watch("operation not permitted"),
			`disk-full+1s: cannot do the fault "file size" to container service of pod POD: operation not permitted`)},
	}
}

// testLeftOut drills the sound service, and compares the list of what was left out as a whole.
func (b built) testLeftOut(t *testing.T, m machine) {
	uid := os.Getuid()
	if m.user && uid == 0 {
		uid = nobody
	}
	folder, err := os.MkdirTemp("", "drill") // short, as a socket is in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chown(folder, uid, -1); err != nil {
		t.Fatal(err)
	}
	b.through = []string{os.Args[0], executeWord, strings.Trim(fmt.Sprint(m.denied), "[]"), strconv.Itoa(uid)}
	b.env = []string{"TMPDIR=" + folder, "HOME=" + folder, "XDG_STATE_HOME="}
	name := b.database
	args := []string{"--repeat", "1", "--command", "service=" + b.service, "--request", "GET /"}
	if m.declared {
		name = "db"
		args = append(args, "--dependency", "db=DATABASE")
	}
	for _, fault := range []string{"hang+500ms", "dependency-outage:" + name + "+1s", "disk-full+1s", "throttle=50%+1s"} {
		args = append(args, "--fault", fault)
	}
	r := b.drillText(t, b.manifest(t, nil), args...)
	var leftOut []string
	for _, l := range r.LeftOut {
		leftOut = append(leftOut, strings.ReplaceAll(l.Fault, name, "DB")+": "+podName.ReplaceAllString(l.Reason, "POD"))
	}
	if diff := cmp.Diff(m.leftOut, leftOut); diff != "" {
		t.Errorf("left out (-want +got):\n%s\n%s", diff, &r)
	}
	for _, result := range r.Results {
		if !strings.HasPrefix(result.Fault, "disk-full") {
			continue
		}
		want := "full were the volumes data, and nothing else"
		if m.noDisk != "" {
			want = "writing to any file failed with EFBIG, where a full disk gives ENOSPC: " + m.noDisk
		}
		if !slices.Contains(result.Remarks, want) {
			t.Errorf("the remarks on a full disk are %q, want %q", result.Remarks, want)
		}
	}
	if tried := len(r.Results) - 1; tried != 4-len(m.leftOut) || len(r.Failures) > 0 {
		t.Errorf("%d faults were tried, want %d:\n%s", tried, 4-len(m.leftOut), &r)
	}
}

var podName = regexp.MustCompile(`\bservice-[a-z0-9]+-[a-z0-9]+\b`)

// nobody is a user to whom nothing belongs.
const nobody = 65534

// executeWord makes the test binary deny system calls, become a user, and execute a program.
const executeWord = "execute-denied"

func TestMain(m *testing.M) {
	if len(os.Args) > 4 && os.Args[1] == executeWord {
		fmt.Fprintln(os.Stderr, execute(strings.Fields(os.Args[2]), os.Args[3], os.Args[4:]))
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// execute returns only on failure.
func execute(denied []string, user string, argv []string) error {
	runtime.LockOSThread() // the filter is that of this thread, which becomes the program
	uid, err := strconv.Atoi(user)
	if err != nil {
		return err
	}
	if uid != os.Getuid() {
		if err := syscall.Setgroups(nil); err != nil {
			return err
		}
		if err := syscall.Setgid(uid); err != nil {
			return err
		}
		if err := syscall.Setuid(uid); err != nil {
			return err
		}
	}
	if err := deny(denied); err != nil {
		return err
	}
	return syscall.Exec(argv[0], argv, os.Environ())
}

// deny has system calls of this thread, and of what it becomes, fail with EPERM.
func deny(calls []string) error {
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}} // the number of the call
	for _, text := range calls {
		call, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		filter = append(filter,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: uint32(call)},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)})
	}
	filter = append(filter, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}
