package credentials

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// folder opens a new state folder.
func folder(t *testing.T) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	return root
}

func mustOpen(t *testing.T, opts Options) *Credentials {
	t.Helper()
	c, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func read(t *testing.T, root *os.Root, name string) string {
	t.Helper()
	data, err := root.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestFirstRun: everything is made, for this user alone.
func TestFirstRun(t *testing.T) {
	root := folder(t)
	c := mustOpen(t, Options{Folder: root})
	if port, err := c.LastPort(); port != 0 || err != nil {
		t.Errorf("LastPort = %d, %v, want none", port, err)
	}
	if err := c.Publish(netip.MustParseAddrPort("127.0.0.1:6443")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(root.Name())
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]string{}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		modes[entry.Name()] = info.Mode().String()
	}
	const own = "-rw-------"
	want := map[string]string{"ca.crt": own, "ca.key": own, "token": own, "kubeconfig": own, "api-port": own}
	if diff := cmp.Diff(want, modes); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	token := read(t, root, "token")
	if raw, err := base64.RawURLEncoding.DecodeString(token); err != nil || len(raw) != 32 {
		t.Errorf("the token %q has %d bytes, %v", token, len(raw), err)
	}
	config := readAsKubectl(t, []byte(read(t, root, "kubeconfig")))
	e := Entry{Name: "probity", Server: "https://127.0.0.1:6443", Authority: []byte(read(t, root, "ca.crt")), Token: token}
	for _, s := range e.sections() {
		fields := entryOf(t, config, s.list, "probity")[s.item].(map[string]any)
		for _, set := range s.sets {
			if fields[set[0]] != set[1] {
				t.Errorf("%s.%s is %v, want %s", s.item, set[0], fields[set[0]], set[1])
			}
		}
	}
	if got, want := c.Kubeconfig(), filepath.Join(root.Name(), "kubeconfig"); got != want {
		t.Errorf("Kubeconfig = %s, want %s", got, want)
	}
}

// TestNextRun: the same port, token and authority, so that kubeconfigs stay good.
func TestNextRun(t *testing.T) {
	root := folder(t)
	first := mustOpen(t, Options{Folder: root, Instance: "blue"})
	at := netip.MustParseAddrPort("[::1]:6443")
	if err := first.Publish(at); err != nil {
		t.Fatal(err)
	}
	second := mustOpen(t, Options{Folder: root, Instance: "blue"})
	if diff := cmp.Diff(first.Entry(at), second.Entry(at)); diff != "" {
		t.Errorf("the entry (-first +second):\n%s", diff)
	}
	if e := second.Entry(at); e.Name != "probity-blue" || e.Server != "https://[::1]:6443" {
		t.Errorf("the entry is for %s at %s", e.Name, e.Server)
	}
	if port, err := second.LastPort(); port != 6443 || err != nil {
		t.Errorf("LastPort = %d, %v, want 6443", port, err)
	}
	if first.serving.Leaf.SerialNumber.Cmp(second.serving.Leaf.SerialNumber) == 0 {
		t.Error("both runs show the same certificate")
	}
}

func TestIsToken(t *testing.T) {
	root := folder(t)
	c := mustOpen(t, Options{Folder: root})
	token := read(t, root, tokenName)
	for shown, want := range map[string]bool{
		token: true, "": false, token[1:]: false, token + "=": false, token + "\n": false, strings.ToUpper(token): false,
		strings.Repeat("A", len(token)): false,
	} {
		if got := c.IsToken(shown); got != want {
			t.Errorf("IsToken(%q) = %t", shown, got)
		}
	}
}

func TestNewToken(t *testing.T) {
	root := folder(t)
	mustOpen(t, Options{Folder: root})
	old := read(t, root, tokenName)
	c := mustOpen(t, Options{Folder: root, NewToken: true})
	if now := read(t, root, tokenName); now == old || !c.IsToken(now) || c.IsToken(old) {
		t.Errorf("the token was %s and is %s", old, now)
	}
}

// TestOpenRefuses: what is wrong with a file is said together with the way out, which works.
func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(root *os.Root) error
		error string
		cure  Options
	}{
		"a token that others can read": {func(root *os.Root) error { return root.Chmod(tokenName, 0o644) },
			"token can be read by others (mode 0644): chmod 600 it; --new-token", Options{NewToken: true}},
		"a token that is too short": {func(root *os.Root) error { return root.WriteFile(tokenName, []byte("secret"), 0o600) },
			"token is not one that Probity has made; --new-token", Options{NewToken: true}},
		"a token with a line more": {func(root *os.Root) error {
			return root.WriteFile(tokenName, []byte(strings.Repeat("A", 40)+"\nAAA"), 0o600)
		}, "token is not one that Probity has made", Options{NewToken: true}},
		"an empty token": {func(root *os.Root) error { return root.WriteFile(tokenName, nil, 0o600) },
			"token is not one that Probity has made", Options{NewToken: true}},
		"a token that is a link": {func(root *os.Root) error {
			return errors.Join(root.Rename(tokenName, "elsewhere"), root.Symlink("elsewhere", tokenName))
		}, "token is a symbolic link", Options{NewToken: true}},
		"a key that others can read": {func(root *os.Root) error { return root.Chmod(authorityKeyName, 0o640) },
			"ca.key can be read by others (mode 0640)", Options{}},
		"a certificate that others can write to": {func(root *os.Root) error { return root.Chmod(authorityName, 0o666) },
			"ca.crt can be written to by others (mode 0666)", Options{}},
		"a key that is none": {func(root *os.Root) error { return root.WriteFile(authorityKeyName, []byte("key"), 0o600) },
			"ca.key is not a PRIVATE KEY in PEM; without ca.crt and ca.key", Options{}},
		"two certificates": {func(root *os.Root) error {
			one, err := root.ReadFile(authorityName)
			return errors.Join(err, root.WriteFile(authorityName, append(one, one...), 0o600))
		}, "ca.crt is not a CERTIFICATE in PEM", Options{}},
		"a certificate that is a key": {func(root *os.Root) error {
			return errors.Join(root.Remove(authorityName), root.Link(authorityKeyName, authorityName))
		}, "ca.crt is not a CERTIFICATE in PEM", Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			root := folder(t)
			mustOpen(t, Options{Folder: root})
			if err := test.spoil(root); err != nil {
				t.Fatal(err)
			}
			_, err := Open(Options{Folder: root})
			if err == nil || !strings.Contains(err.Error(), test.error) || !strings.Contains(err.Error(), root.Name()) {
				t.Fatalf("error %v, want %q and the path", err, test.error)
			}
			if !test.cure.NewToken {
				if err := errors.Join(root.Remove(authorityName), root.Remove(authorityKeyName)); err != nil {
					t.Fatal(err)
				}
			}
			test.cure.Folder = root
			mustOpen(t, test.cure)
		})
	}
}

func TestPortRefuses(t *testing.T) {
	for name, spoil := range map[string]func(root *os.Root) error{
		"no number": func(root *os.Root) error { return root.WriteFile(portName, []byte("https"), 0o600) },
		"too large": func(root *os.Root) error { return root.WriteFile(portName, []byte("65536"), 0o600) },
		"of everybody": func(root *os.Root) error {
			return errors.Join(root.WriteFile(portName, []byte("1"), 0o600), root.Chmod(portName, 0o666))
		},
		"somebody's fi": func(root *os.Root) error { return root.Mkdir(portName, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			root := folder(t)
			c := mustOpen(t, Options{Folder: root})
			if err := spoil(root); err != nil {
				t.Fatal(err)
			}
			if port, err := c.LastPort(); port != 0 || err == nil || !strings.Contains(err.Error(), filepath.Join(root.Name(), portName)) {
				t.Errorf("LastPort = %d, %v, want an error with the path", port, err)
			}
		})
	}
}

func TestAddressRefused(t *testing.T) {
	for _, address := range []string{"0.0.0.0", "::", "224.0.0.1", "fe80::1%eth0", "::ffff:10.0.0.1"} {
		if _, err := Open(Options{Folder: folder(t), Address: netip.MustParseAddr(address)}); err == nil || !strings.Contains(err.Error(), address) {
			t.Errorf("%s: error %v", address, err)
		}
	}
}

// shake connects to the API, whose end of the connection is closed after the handshake.
func shake(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	defer serving.Wait()
	defer listener.Close() // nobody is waiting to be accepted
	serving.Go(func() {
		if conn, err := listener.Accept(); err == nil {
			_ = conn.(*tls.Conn).HandshakeContext(t.Context()) // the client's result counts
			conn.Close()
		}
	})
	conn, err := tls.Dial("tcp", listener.Addr().String(), client)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close() // nothing was written
	return conn.ConnectionState(), nil
}

// trust is the configuration of a client that has ca.crt.
func trust(c *Credentials, name string) *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.Entry(netip.AddrPort{}).Authority)
	return &tls.Config{RootCAs: pool, ServerName: name, NextProtos: []string{"h2"}}
}

// TestHandshake: by which names clients that trust the authority reach the API.
func TestHandshake(t *testing.T) {
	local, given := folder(t), folder(t)
	address := netip.MustParseAddr("192.168.1.20")
	for name, test := range map[string]struct {
		opts   Options
		server string
		works  bool
	}{
		"IPv4":                      {Options{Folder: local}, "127.0.0.1", true},
		"IPv6":                      {Options{Folder: local}, "::1", true},
		"localhost":                 {Options{Folder: local}, "localhost", true},
		"another loopback address":  {Options{Folder: local}, "127.0.0.2", false},
		"the address, if not given": {Options{Folder: local}, "192.168.1.20", false},
		"another name":              {Options{Folder: local}, "example.com", false},
		"the address":               {Options{Folder: given, Address: address}, "192.168.1.20", true},
		"beside it loopback":        {Options{Folder: given, Address: address}, "127.0.0.1", true},
		"and nothing else":          {Options{Folder: given, Address: address}, "192.168.1.21", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := mustOpen(t, test.opts)
			state, err := shake(t, c.TLSConfig(), trust(c, test.server))
			if (err == nil) != test.works {
				t.Fatalf("error %v", err)
			}
			if err == nil && (state.NegotiatedProtocol != "h2" || state.Version != tls.VersionTLS13) {
				t.Errorf("protocol %q, TLS %x", state.NegotiatedProtocol, state.Version)
			}
		})
	}
}

func TestOldTLS(t *testing.T) {
	c := mustOpen(t, Options{Folder: folder(t)})
	client := trust(c, "localhost")
	client.MinVersion, client.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, err := shake(t, c.TLSConfig(), client); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}
