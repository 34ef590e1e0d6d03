package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/probity-run/probity/internal/process"
)

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
