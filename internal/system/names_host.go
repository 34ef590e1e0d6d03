package system

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/names"
	"github.com/probity-run/probity/internal/process"
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

// moreBinds are what keeps the C library from asking others before it reads the hosts file.
func (n *hostNames) moreBinds() (binds []process.Bind, err error) {
	text, err := os.ReadFile(n.host.nsswitch)
	switch first, changed := names.FilesFirst(string(text)); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case changed:
		path := filepath.Join(n.dir, "nsswitch.conf")
		if err := errors.Join(os.WriteFile(path, []byte(first), 0o644), os.Chmod(path, 0o644)); err != nil { // whatever the umask
			return nil, err
		}
		binds = append(binds, process.Bind{Source: path, Target: n.host.nsswitch})
	}
	if info, err := os.Stat(n.host.nscd); err == nil && info.IsDir() {
		empty := filepath.Join(n.dir, "nscd")
		if err := os.Mkdir(empty, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if err := os.Chmod(empty, 0o755); err != nil { // whatever the umask
			return nil, err
		}
		binds = append(binds, process.Bind{Source: empty, Target: n.host.nscd})
	}
	return binds, nil
}
