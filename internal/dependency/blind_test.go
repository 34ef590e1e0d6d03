package dependency

import (
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/process"
)

// TestSpots: what is not watched is said, and nothing else.
func TestSpots(t *testing.T) {
	w, starter, _ := newWatcher(t, Options{})
	route := begin(t, w, starter, "default/web/app").Connects
	through := route(tcp(listener(t).String())).To
	route(tcp("192.0.2.1:80"))
	route(tcp("127.0.0.1:1"))
	connection := func(local, remote string) process.Connection {
		return process.Connection{Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote)}
	}
	tests := map[string]struct {
		outside process.Outside
		want    []string
	}{
		"nothing": {process.Outside{}, nil},
		"known": {process.Outside{Connections: []process.Connection{
			connection("127.0.0.1:40000", through.String()), connection("127.0.0.1:40001", "192.0.2.1:80"), connection("127.0.0.1:40002", "127.0.0.1:1"),
			connection("127.0.0.1:8080", "127.0.0.1:50000"), // accepted
			connection("127.0.0.1:40003", "127.0.0.1:40004"), connection("127.0.0.1:40004", "127.0.0.1:40003"),
		}}, nil},
		"unseen": {process.Outside{Connections: []process.Connection{
			connection("127.0.0.1:40000", "127.0.0.1:5432"), connection("127.0.0.1:40001", "127.0.0.1:5432"),
		}}, []string{"a connection to 127.0.0.1:5432 was not seen"}},
		"ring":   {process.Outside{Rings: []int{7}}, []string{"process 7 has an io_uring"}},
		"rings":  {process.Outside{Rings: []int{7, 8}}, []string{"processes 7 8 have an io_uring"}},
		"hidden": {process.Outside{Hidden: []int{9}}, []string{"process 9 does not let anybody see"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.spotsOf("default/web", test.outside, []process.Listener{{Port: 8080}})
			matches := len(got) == len(test.want)
			for i := range min(len(got), len(test.want)) {
				matches = matches && strings.HasPrefix(got[i], test.want[i])
			}
			if !matches {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// TestUnixSockets: sockets of files are blind spots, but not those of the system, and not those
// where nothing is.
func TestUnixSockets(t *testing.T) {
	w, starter, _ := newWatcher(t, Options{})
	route := begin(t, w, starter, "default/web/app").Connects
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, to := range []string{path, path, "@abstract", "/no/such/socket", "/dev/log"} {
		route(process.Connect{Network: "unix", Path: to})
	}
	var texts []string
	for _, spot := range w.BlindSpots() {
		if spot.Pod != "default/web" {
			t.Errorf("spot of %s", spot.Pod)
		}
		if strings.Contains(spot.Text, "the socket") {
			texts = append(texts, strings.Fields(spot.Text)[5])
		}
	}
	if want := path + ": @abstract:"; strings.Join(texts, " ") != want {
		t.Errorf("sockets %q, want %q", texts, want)
	}
}
