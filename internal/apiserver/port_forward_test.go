package apiserver

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/moby/spdystream"
)

// TestPortForward: a connection that cannot be made is explained on its error stream, as a cluster
// does.
func TestPortForward(t *testing.T) {
	f := &fakeRunner{}
	c := newStreamClient(t, f)
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST %sweb/portforward HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n\r\n", pods)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil) // the server says nothing else before it is asked
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", answer, err)
	}
	client, err := spdystream.NewConnection(conn, false)
	if err != nil {
		t.Fatal(err)
	}
	go client.Serve(spdystream.NoOpStreamHandler) // ends with the connection
	var errs *spdystream.Stream
	for _, kind := range []string{"data", "error"} {
		errs, err = client.CreateStream(http.Header{"Streamtype": {kind}, "Port": {"8080"}, "Requestid": {"0"}}, nil, false)
		if err == nil {
			err = errs.Wait()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(errs)
	want := fmt.Sprintf("error forwarding port 8080 to pod web, uid %s: nobody is there", c.podUID("web"))
	if err != nil || string(text) != want {
		t.Errorf("error stream %q, %v, want %q", text, err, want)
	}
	conn.Close()
	c.api.Wait()
	if want := fmt.Sprintf("dial %s 8080", c.podUID("web")); len(f.asked) != 1 || f.asked[0] != want {
		t.Errorf("asked %q, want %q", f.asked, want)
	}
}
