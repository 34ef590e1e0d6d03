package credentials

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/ownfile"
)

// ErrNoAPI says that no run has served its API from a state folder.
var ErrNoAPI = errors.New("no run has served the Kubernetes API from there")

// Client returns a client for the run of a state folder, which sends the folder's token to whoever
// shows a certificate of its authority and to nobody else, and the URL of the API. The caller has
// made sure that the folder is this user's own. Whether a run answers there is found out by a
// request. The error matches [ErrNoAPI] if none ever has. Whoever has the client closes its idle
// connections.
func Client(folder *os.Root) (client *http.Client, url string, err error) {
	port, err := readPort(folder)
	if err != nil {
		return nil, "", err
	}
	authority, err := ownfile.Read(folder, authorityName, ownfile.Private)
	if err != nil {
		return nil, "", err
	}
	token, err := ownfile.Read(folder, tokenName, ownfile.Private)
	if err != nil {
		return nil, "", err
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(authority) {
		return nil, "", fmt.Errorf("%s has no certificate", filepath.Join(folder.Name(), authorityName))
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}}
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
	return &http.Client{Transport: bearer{transport, strings.TrimSpace(string(token))}}, "https://" + at.String(), nil
}

// readPort is the port of the run, or of the last one.
func readPort(folder *os.Root) (uint16, error) {
	data, err := ownfile.Read(folder, portName, ownfile.Private)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, ErrNoAPI
	}
	if err != nil {
		return 0, err
	}
	port, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("cannot read a port in %s", filepath.Join(folder.Name(), portName))
	}
	return uint16(port), nil
}

// bearer shows a token with each request.
type bearer struct {
	next  *http.Transport
	token string
}

// CloseIdleConnections is for [http.Client.CloseIdleConnections].
func (b bearer) CloseIdleConnections() { b.next.CloseIdleConnections() }

// RoundTrip implements [http.RoundTripper].
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}
