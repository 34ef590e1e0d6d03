package origin

import (
	"net/netip"
	"testing"
)

// TestNames: of which Host headers it is sure.
func TestNames(t *testing.T) {
	loopback := Server{Scheme: "https", Port: 6443}
	for host, want := range map[string]bool{
		"127.0.0.1:6443": true, "[::1]:6443": true, "localhost:6443": true, "LocalHost:6443": true, "[0:0:0:0:0:0:0:1]:6443": true,
		"": false, ":6443": false, "localhost": false, "localhost:": false, "localhost:443": false, "localhost:06443": false, "localhost:+6443": false,
		"127.0.0.1": false, "::1": false, "[::1]": false, "::1:6443": false, "127.0.0.2:6443": false, "127.1:6443": false, "2130706433:6443": false,
		"0.0.0.0:6443": false, "[::]:6443": false, "[::ffff:127.0.0.1]:6443": false, "[::1%25lo]:6443": false, "[::1%lo]:6443": false,
		"localhost.:6443": false, "localhost.evil.example:6443": false, "evil.example:6443": false, "127.0.0.1.nip.io:6443": false,
		"user@localhost:6443": false, "localhost:6443:6443": false, "localhost:6443/": false, " localhost:6443": false,
		"192.168.1.20:6443": false,
	} {
		if got := loopback.Has(host); got != want {
			t.Errorf("has(%q) = %t", host, got)
		}
	}
	given := Server{Scheme: "https", Port: 443, Address: netip.MustParseAddr("2001:db8::1")}
	for host, want := range map[string]bool{
		"[2001:db8::1]:443": true, "[2001:db8::1]": true, "localhost": true, "127.0.0.1": true, "[::1]": true, "[2001:db8::2]": false, "": false, "[]": false, "evil.example": false,
	} {
		if got := given.Has(host); got != want {
			t.Errorf("at port 443: has(%q) = %t", host, got)
		}
	}
	if got, want := given.String(), "127.0.0.1:443, [::1]:443, localhost:443, [2001:db8::1]:443"; got != want {
		t.Errorf("String = %s, want %s", got, want)
	}
}

func TestServer(t *testing.T) {
	plain := Server{Scheme: "http", Port: 8080}
	secure := Server{Scheme: "https", Port: 443, Address: netip.MustParseAddr("192.168.1.20")}
	for name, test := range map[string]struct {
		server Server
		host   string
		want   bool
	}{
		"loopback":              {plain, "127.0.0.1:8080", true},
		"IPv6":                  {plain, "[::1]:8080", true},
		"a name":                {plain, "LocalHost:8080", true},
		"another port":          {plain, "127.0.0.1:8081", false},
		"no port":               {plain, "127.0.0.1", false},
		"a rebound name":        {plain, "evil.example:8080", false},
		"another loopback":      {plain, "127.0.0.2:8080", false},
		"port of the scheme":    {secure, "localhost", true},
		"http's own":            {Server{Scheme: "http", Port: 80}, "[::1]", true},
		"the other address":     {secure, "192.168.1.20:443", true},
		"no address, none sent": {plain, ":8080", false},
	} {
		if got := test.server.Has(test.host); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
		if got := test.server.IsOrigin(test.server.Scheme + "://" + test.host); got != test.want {
			t.Errorf("%s as an origin: %v, want %v", name, got, test.want)
		}
	}
	for _, origin := range []string{"https://127.0.0.1:8080", "null", "", "127.0.0.1:8080"} {
		if plain.IsOrigin(origin) {
			t.Errorf("%q is taken for an origin of %s", origin, plain)
		}
	}
}
