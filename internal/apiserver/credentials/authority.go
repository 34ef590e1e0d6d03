package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/probity-run/probity/internal/ownfile"
)

// authority signs the certificates of the API. What it can sign for is written into it, so that who
// trusts it, in a browser say, trusts it for nothing else.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

const (
	authorityYears = 10
	// clockStep is how far the clock may be set back without making a certificate one of the
	// future.
	clockStep = time.Hour
)

// The types of PEM blocks.
const (
	certificateBlock = "CERTIFICATE"
	keyBlock         = "PRIVATE KEY"
)

// openAuthority returns the authority of a state folder, or a new one if there is none that will
// do.
func openAuthority(folder *os.Root, address netip.Addr, now time.Time) (*authority, error) {
	kept, err := readAuthority(folder)
	if err != nil {
		return nil, err
	}
	if kept != nil && kept.isGoodFor(address, now) {
		return kept, nil
	}
	made, err := newAuthority(address, now)
	if err != nil {
		return nil, err
	}
	return made, made.write(folder)
}

// readAuthority returns nil if there is none, or if the certificate is not that of the key: a run
// was killed between the two.
func readAuthority(folder *os.Root) (*authority, error) {
	keyBytes, keyErr := readBlock(folder, authorityKeyName, keyBlock)
	certificateBytes, err := readBlock(folder, authorityName, certificateBlock)
	if errors.Is(keyErr, fs.ErrNotExist) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err := errors.Join(keyErr, err); err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(folder.Name(), authorityKeyName), err)
	}
	certificate, err := x509.ParseCertificate(certificateBytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(folder.Name(), authorityName), err)
	}
	own, isOwn := key.(*ecdsa.PrivateKey)
	if !isOwn || !own.PublicKey.Equal(certificate.PublicKey) {
		return nil, nil
	}
	return &authority{certificate: certificate, key: own}, nil
}

// readBlock reads a file that is one PEM block.
func readBlock(folder *os.Root, name, blockType string) ([]byte, error) {
	data, err := ownfile.Read(folder, name, ownfile.Private)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(data)
	if block == nil || block.Type != blockType || len(rest) > 0 {
		return nil, fmt.Errorf("%s is not a %s in PEM", filepath.Join(folder.Name(), name), blockType)
	}
	return block.Bytes, nil
}

// newAuthority makes an authority that can sign for loopback and an address.
func newAuthority(address netip.Addr, now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:                     pkix.Name{CommonName: "probity-ca"},
		NotBefore:                   now.Add(-clockStep),
		NotAfter:                    now.AddDate(authorityYears, 0, 0),
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		KeyUsage:                    x509.KeyUsageCertSign,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{"localhost"},
		PermittedIPRanges:           permitted(address),
	}
	certificate, err := sign(template, template, key, key)
	if err != nil {
		return nil, err
	}
	return &authority{certificate: certificate, key: key}, nil
}

// permitted are the addresses that an authority can sign for.
func permitted(address netip.Addr) []*net.IPNet {
	prefixes := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	if address.IsValid() {
		prefixes = append(prefixes, netip.PrefixFrom(address, address.BitLen()))
	}
	ranges := make([]*net.IPNet, len(prefixes))
	for i, prefix := range prefixes {
		ranges[i] = &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}
	}
	return ranges
}

// isGoodFor reports whether an authority can sign for an address and outlives what it signs now.
func (a *authority) isGoodFor(address netip.Addr, now time.Time) bool {
	c := a.certificate
	lasts := !now.Before(c.NotBefore) && !servingEnd(now).After(c.NotAfter)
	return c.IsCA && lasts && (!address.IsValid() || slices.ContainsFunc(c.PermittedIPRanges, func(r *net.IPNet) bool {
		return r.Contains(address.AsSlice())
	}))
}

// write puts the authority into the state folder, the certificate last.
func (a *authority) write(folder *os.Root) error {
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return err
	}
	if err := ownfile.WriteDurable(folder, authorityKeyName, pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: key})); err != nil {
		return err
	}
	return ownfile.WriteDurable(folder, authorityName, a.pem())
}

// pem is the certificate for those who are to trust it.
func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: a.certificate.Raw})
}

// sign makes a certificate for the public half of subject.
func sign(template, issuer *x509.Certificate, subject, signer *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &subject.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
