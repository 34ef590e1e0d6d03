package system

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/names"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/proxy"
)

// Where programs look names up.
const (
	hostsPath    = "/etc/hosts"
	nsswitchPath = "/etc/nsswitch.conf"
	// nscdPath is where the C library finds the name service cache, which knows only what the
	// machine knows.
	nscdPath = "/var/run/nscd"
)

// hostFiles are what this machine knows of names.
type hostFiles struct {
	name           string
	hosts          func() string
	nsswitch, nscd string // paths; empty or not there: it has none
	uid            int
	sysctl         func(name string) string // "" if there is none
}

func thisHost() hostFiles {
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	return hostFiles{
		name: name, nsswitch: nsswitchPath, nscd: nscdPath, uid: os.Geteuid(),
		hosts: func() string {
			data, _ := os.ReadFile(hostsPath) // one that cannot be read says nothing
			return string(data)
		},
		sysctl: func(name string) string {
			data, _ := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
			return strings.TrimSpace(string(data))
		},
	}
}

// resolveTime is how long the machine's resolver may take for a name.
const resolveTime = 10 * time.Second

func lookUp(ctx context.Context, name string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	for i, a := range addresses {
		addresses[i] = a.Unmap()
	}
	return addresses, err
}

// tryNamespace finds out, by doing it, whether Pods can have hosts files of their own, and says so
// if they cannot.
func (n *hostNames) tryNamespace() error {
	binds, err := n.moreBinds()
	if err == nil {
		n.binds = binds
		probe := filepath.Join(n.dir, "try")
		if err = os.WriteFile(probe, nil, 0o644); err == nil {
			err = n.shep.TryNamespace(process.Namespace{Key: "try", Hostname: n.host.name, Binds: append([]process.Bind{{Source: probe, Target: hostsPath}}, binds...)})
			err = errors.Join(err, os.Remove(probe))
		}
	}
	if err == nil || errors.Is(err, process.ErrShepherdGone) {
		return err
	}
	line := fmt.Sprintf("probity: programs do not find Services by name here, because Pods can have no hosts file of their own: %v", err)
	if refused, ok := errors.AsType[*process.NamespaceError](err); ok {
		line = fmt.Sprintf("probity: programs do not find Services by name here, because Pods can have no hosts file of their own (%v): %s", refused, n.remedy(refused))
	}
	n.say(line + "; variables such as STORE_SERVICE_HOST work all the same, and --names=env puts working addresses into variables that name a Service")
	return err
}

// moreBinds are what keeps the C library from asking others before it reads the hosts file.
func (n *hostNames) moreBinds() (binds []process.Bind, err error) {
	text, err := os.ReadFile(n.host.nsswitch)
	switch first, changed := names.FilesFirst(string(text)); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case changed:
		path := filepath.Join(n.dir, "nsswitch.conf")
		if err := os.WriteFile(path, []byte(first), 0o644); err != nil {
			return nil, err
		}
		binds = append(binds, process.Bind{Source: path, Target: n.host.nsswitch})
	}
	if info, err := os.Stat(n.host.nscd); err == nil && info.IsDir() {
		empty := filepath.Join(n.dir, "nscd")
		if err := os.Mkdir(empty, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		binds = append(binds, process.Bind{Source: empty, Target: n.host.nscd})
	}
	return binds, nil
}

// remedy says who refuses a namespace as a rule, and what helps.
func (n *hostNames) remedy(e *process.NamespaceError) string {
	denied := e.Err == syscall.EPERM || e.Err == syscall.EACCES
	restricted := n.host.uid != 0 && n.host.sysctl("kernel.apparmor_restrict_unprivileged_userns") == "1"
	switch {
	case e.Err == syscall.ENOSYS:
		return "only Linux can do that"
	case denied && restricted:
		return "AppArmor keeps it from plain users, which is Ubuntu's default: `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0` lets it, or a profile for probity " +
			"with the line `userns,`, or running probity by sudo, as in CI"
	case e.Step == process.StepUnshare && denied && n.host.uid == 0:
		return "root lacks CAP_SYS_ADMIN, as in a container (`docker run --cap-add SYS_ADMIN` gives it), or runs in a chroot"
	case e.Step == process.StepUnshare && denied && n.host.sysctl("kernel.unprivileged_userns_clone") == "0":
		return "`sudo sysctl kernel.unprivileged_userns_clone=1` lets plain users do it"
	case e.Step == process.StepUnshare && denied:
		return "a container's seccomp filter keeps it from programs (`docker run --cap-add SYS_ADMIN` lifts that), or probity runs in a chroot"
	case e.Step == process.StepUnshare && e.Err == syscall.ENOSPC:
		return "all namespaces are used up, or none is allowed: see `sysctl user.max_user_namespaces user.max_mnt_namespaces`"
	case e.Step == process.StepMount && e.Path == "/" && e.Err == syscall.EINVAL || e.Step == process.StepRoot:
		return "probity runs in a chroot"
	case e.Step == process.StepMount && e.Err == syscall.ENOENT:
		return "there is no such file to put another in place of"
	case denied:
		return "a security module keeps it from programs: see the kernel's log"
	}
	return "nothing is known that would help"
}

// workingAddresses finds the addresses that work for names of Services, as a Pod in a namespace
// means them.
func (n *hostNames) workingAddresses(namespace string) names.Lookup {
	services := n.services()
	return func(host string, port int) (string, int, bool) {
		s, ok := names.Find(services, namespace, host)
		if !ok {
			return "", 0, false
		}
		return workingAddress(s, port)
	}
}

// workingAddress is where a port of a Service answers: where the proxy listens for it, or else the
// Service's own address. Port 0 means whatever port the program adds.
func workingAddress(s *corev1.Service, port int) (address string, number int, ok bool) {
	if port == 0 {
		for _, p := range s.Spec.Ports {
			if address, number, ok := workingAddress(s, int(p.Port)); !ok || number != int(p.Port) {
				return address, number, ok // where the program's own number does not work
			}
		}
		a, err := netip.ParseAddr(s.Spec.ClusterIP)
		return s.Spec.ClusterIP, 0, err == nil && a.IsValid()
	}
	if !slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return int(p.Port) == port }) {
		return "", 0, false
	}
	if served, err := netip.ParseAddrPort(s.Annotations[proxy.AnnotationAddress+strconv.Itoa(port)]); err == nil {
		return served.Addr().String(), int(served.Port()), true
	}
	_, unnamed := s.Annotations[names.AnnotationUnnamed]
	a, err := netip.ParseAddr(s.Spec.ClusterIP)
	return s.Spec.ClusterIP, port, err == nil && a.IsValid() && !unnamed
}
