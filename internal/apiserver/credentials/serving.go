package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/netip"
	"time"
)

// renewal is how long before its end a certificate is replaced.
const renewal = 30 * 24 * time.Hour

// servingEnd is until when a certificate is good that is made now.
func servingEnd(now time.Time) time.Time { return now.AddDate(1, 0, 0) }

// expiresSoon reports whether a certificate has to be replaced.
func expiresSoon(certificate *x509.Certificate, now time.Time) bool {
	return now.Add(renewal).After(certificate.NotAfter)
}

// issue makes a certificate that the API can show: for loopback, and an address if there is one.
func (a *authority) issue(address netip.Addr, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "probity"}, // OpenSSL takes one with its issuer's name for self-signed
		NotBefore:   now.Add(-clockStep),
		NotAfter:    servingEnd(now),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if address.IsValid() {
		template.IPAddresses = append(template.IPAddresses, address.AsSlice())
	}
	leaf, err := sign(template, a.certificate, key, a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}, nil
}
