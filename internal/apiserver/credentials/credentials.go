package credentials

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/probity-run/probity/internal/ownfile"
)

// The names in the state folder.
const (
	authorityName    = "ca.crt"
	authorityKeyName = "ca.key"
	tokenName        = "token"
	portName         = "api-port"
)

// KubeconfigName is the name of the kubeconfig in a state folder.
const KubeconfigName = "kubeconfig"

// Files are the names of all files that a state folder can have of this package.
func Files() []string {
	return []string{authorityName, authorityKeyName, tokenName, portName, KubeconfigName}
}

// Options says whose credentials are opened.
type Options struct {
	// Folder is the state folder. The caller has made sure that it is this user's own, keeps other
	// runs out of it, and closes it after the last use of the [Credentials].
	Folder *os.Root
	// Instance tells the runs of one user apart in a kubeconfig; "" is the one without a name.
	Instance string
	// Address is where the API can be reached besides loopback. The zero value is nowhere.
	Address netip.Addr
	// NewToken replaces the token, so that whoever has the old one is shut out.
	NewToken bool
}

// Credentials are those of one run. They are safe for concurrent use.
type Credentials struct {
	folder    *os.Root
	name      string
	address   netip.Addr
	authority *authority
	token     string

	mu      sync.Mutex
	serving *tls.Certificate // guarded by mu
}

// Open reads the credentials of a state folder and makes what is missing: all of it in the first
// run; the authority also if it does not cover the address or will expire within a year, after
// which clients need the new ca.crt. The error says which file is in the way and what to do.
func Open(opts Options) (*Credentials, error) {
	if err := checkAddress(opts.Address); err != nil {
		return nil, err
	}
	now := time.Now()
	authority, err := openAuthority(opts.Folder, opts.Address, now)
	if err != nil {
		return nil, fmt.Errorf("cannot use the certificate authority of the API: %w; without %s and %s in that folder the next run makes another",
			err, authorityName, authorityKeyName)
	}
	open := openToken
	if opts.NewToken {
		open = makeToken
	}
	token, err := open(opts.Folder)
	if err != nil {
		return nil, fmt.Errorf("cannot use the token of the API: %w; --new-token makes another", err)
	}
	c := &Credentials{folder: opts.Folder, name: entryName(opts.Instance), address: opts.Address, authority: authority, token: token}
	if c.serving, err = authority.issue(opts.Address, now); err != nil {
		return nil, fmt.Errorf("cannot make a certificate for the API: %w", err)
	}
	return c, nil
}

// checkAddress refuses an address by which no client could name the API.
func checkAddress(address netip.Addr) error {
	if address.IsValid() && (address.IsUnspecified() || address.IsMulticast() || address.Zone() != "" || address.Is4In6()) {
		return fmt.Errorf("cannot serve the API at %s: its certificate names one address of this machine that clients use, such as 192.168.1.20", address)
	}
	return nil
}

// TLSConfig is how the API is served: TLS 1.2 or later, HTTP/2 or HTTP/1.1, with a certificate that
// is good for at least 30 days more. Each call returns another value.
func (c *Credentials) TLSConfig() *tls.Config {
	return &tls.Config{GetCertificate: c.certificate, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

// certificate returns what the API shows, and makes another if that is about to expire.
func (c *Credentials) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); expiresSoon(c.serving.Leaf, now) {
		serving, err := c.authority.issue(c.address, now)
		if err != nil {
			return nil, fmt.Errorf("cannot make a certificate for the API: %w", err)
		}
		c.serving = serving
	}
	return c.serving, nil
}

// Entry is what a kubeconfig has to say for clients to reach the API at an address.
func (c *Credentials) Entry(at netip.AddrPort) Entry {
	return Entry{Name: c.name, Server: "https://" + at.String(), Authority: c.authority.pem(), Token: c.token}
}

// Publish writes the kubeconfig of the state folder for an API that listens at an address, and
// notes the port for the next run.
func (c *Credentials) Publish(at netip.AddrPort) error {
	kubeconfig, err := merge(nil, c.Entry(at))
	if err == nil {
		err = ownfile.Write(c.folder, KubeconfigName, kubeconfig)
	}
	if err == nil {
		err = ownfile.Write(c.folder, portName, []byte(strconv.Itoa(int(at.Port()))+"\n"))
	}
	if err != nil {
		return fmt.Errorf("cannot write what clients of the API need: %w", err)
	}
	return nil
}

// Kubeconfig is the path of the file that [Credentials.Publish] writes.
func (c *Credentials) Kubeconfig() string { return filepath.Join(c.folder.Name(), KubeconfigName) }

// LastPort is the port of the last run, or 0 if there is none that can be used again.
func (c *Credentials) LastPort() (uint16, error) {
	port, err := readPort(c.folder)
	if errors.Is(err, ErrNoAPI) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("cannot read the port of the last run: %w; without that file another port is taken", err)
	}
	return port, nil
}

// entryName is how a run is called in a kubeconfig: its cluster, its user and its context.
func entryName(instance string) string {
	if instance == "" {
		return "probity"
	}
	return "probity-" + instance
}
