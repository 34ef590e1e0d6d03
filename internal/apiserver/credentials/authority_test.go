package credentials

import (
	"crypto/x509"
	"errors"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestConstraints: what the authority signs for anything else is worth nothing, even in the hands
// of who has stolen its key.
func TestConstraints(t *testing.T) {
	c := mustOpen(t, Options{Folder: folder(t), Address: netip.MustParseAddr("192.168.1.20")})
	stolen, err := c.authority.issue(netip.MustParseAddr("192.168.1.21"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c.authority.certificate)
	for name, test := range map[string]struct {
		certificate *x509.Certificate
		name        string
		works       bool
	}{
		"its own":         {c.serving.Leaf, "192.168.1.20", true},
		"for another one": {stolen.Leaf, "192.168.1.21", false},
	} {
		if _, err := test.certificate.Verify(x509.VerifyOptions{DNSName: test.name, Roots: pool}); (err == nil) != test.works {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if issuer, subject := c.serving.Leaf.Issuer.String(), c.serving.Leaf.Subject.String(); issuer == subject {
		t.Errorf("OpenSSL takes the certificate for self-signed, as %s has issued %s", issuer, subject)
	}
	if c.authority.certificate.MaxPathLen != 0 || !c.authority.certificate.PermittedDNSDomainsCritical {
		t.Errorf("the authority can have others below it, or its constraints can be ignored")
	}
}

// TestAuthorityRenewed: when another is made, and when not, as every client has to learn of it.
func TestAuthorityRenewed(t *testing.T) {
	const day = 24 * time.Hour
	near, far := netip.MustParseAddr("127.0.0.3"), netip.MustParseAddr("10.1.2.3")
	for name, test := range map[string]struct {
		first   netip.Addr // for which it was made
		pass    time.Duration
		between func(root *os.Root) error
		then    netip.Addr
		renewed bool
	}{
		"at once":                     {},
		"in nine years less a week":   {pass: 9*365*day - 7*day},
		"in its last year":            {pass: 9*365*day + 7*day, renewed: true},
		"the clock was set back":      {pass: -time.Hour + time.Minute},
		"too far":                     {pass: -2 * time.Hour, renewed: true},
		"a loopback address":          {then: near},
		"an address":                  {then: far, renewed: true},
		"the same address":            {first: far, then: far},
		"without the address":         {first: far},
		"killed before the key":       {between: func(root *os.Root) error { return root.Remove(authorityKeyName) }, renewed: true},
		"killed before the authority": {between: func(root *os.Root) error { return root.Remove(authorityName) }, renewed: true},
		"killed in between": {between: func(root *os.Root) error {
			other, err := newAuthority(netip.Addr{}, time.Now())
			return errors.Join(err, other.write(root), root.Remove(authorityName), root.Rename("kept", authorityName))
		}, renewed: true},
	} {
		t.Run(name, func(t *testing.T) {
			root := folder(t)
			now := time.Now()
			first, err := openAuthority(root, test.first, now)
			if err != nil {
				t.Fatal(err)
			}
			if test.between != nil {
				if err := errors.Join(root.Link(authorityName, "kept"), test.between(root)); err != nil {
					t.Fatal(err)
				}
			}
			then, err := openAuthority(root, test.then, now.Add(test.pass))
			if err != nil {
				t.Fatal(err)
			}
			if renewed := !then.certificate.Equal(first.certificate); renewed != test.renewed {
				t.Errorf("renewed: %t, want %t", renewed, test.renewed)
			}
			if kept, err := openAuthority(root, test.then, now.Add(test.pass)); err != nil || !kept.certificate.Equal(then.certificate) {
				t.Errorf("the one after it is another one: %v", err)
			}
		})
	}
}

// TestServingRenewed: a run that lasts longer than its certificate shows others in time, which the
// same clients trust.
func TestServingRenewed(t *testing.T) {
	root := folder(t)
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		c := mustOpen(t, Options{Folder: root})
		pool := trust(c, "").RootCAs
		server := c.TLSConfig()
		serial := func() string {
			shown, err := server.GetCertificate(nil)
			if err != nil {
				t.Fatalf("%v: %v", time.Now(), err)
			}
			if _, err := shown.Leaf.Verify(x509.VerifyOptions{DNSName: "127.0.0.1", Roots: pool}); err != nil {
				t.Errorf("%v: %v", time.Now(), err)
			}
			return shown.Leaf.SerialNumber.String()
		}
		first := serial()
		time.Sleep(334 * day)
		if serial() != first {
			t.Error("it is another one 31 days before its end")
		}
		time.Sleep(3 * day)
		second := serial()
		if second == first {
			t.Error("it is the same 28 days before its end")
		}
		time.Sleep(300 * day)
		if serial() != second {
			t.Error("the second one was not kept")
		}
		for range 24 { // six years in all
			time.Sleep(80 * day)
			serial()
		}
	})
}
