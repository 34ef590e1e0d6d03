package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"time"
)

// serveTLS serves the same answers by HTTPS.
func (s *service) serveTLS(listener net.Listener) error {
	certificate, err := expired()
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	server := s.server()
	server.TLSConfig = config
	switch s.tlsMode {
	case "h2":
	case "h1":
		server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	case "client":
		config.ClientAuth = tls.RequireAnyClientCert
		// in 1.3 it is a matter of luck when the client hears of it
		config.MaxVersion = tls.VersionTLS12
	default:
		return fmt.Errorf("cannot serve TLS %q", s.tlsMode)
	}
	return server.ServeTLS(listener, "", "")
}

// expired is a certificate that nobody should accept: signed by itself, for another name, and no
// longer valid.
func expired() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "player"}, DNSNames: []string{"another.example"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
