package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// h2cClient speaks HTTP/2 with prior knowledge only.
func h2cClient(t *testing.T) *http.Client {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

func TestProtocolToReplica(t *testing.T) {
	tests := map[string]struct {
		port   string
		client func(*testing.T) *http.Client
		want   string
	}{
		"HTTP/1 to http": {"http", func(t *testing.T) *http.Client { return client(t) }, "HTTP/1.1"},
		"h2c to http":    {"http", h2cClient, "HTTP/1.1"},
		"HTTP/1 to h2c":  {"h2c", func(t *testing.T) *http.Client { return client(t) }, "HTTP/2.0"},
		"h2c to grpc":    {"grpc", h2cClient, "HTTP/2.0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{})
			url := "http://" + fx.service("web", named(test.port))
			r := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				fmt.Fprint(w, r.Proto, " ", string(body))
			})
			fx.endpoints("web", at("a", r.address))
			client := test.client(t)
			if code, body := do(client, http.MethodPost, url, "x"); code != http.StatusOK || body != test.want+" x" {
				t.Errorf("%d %q, want %s", code, body, test.want)
			}
			client.CloseIdleConnections()
		})
	}
}

func TestTrailers(t *testing.T) {
	for _, port := range []string{"http", "h2c"} {
		t.Run(port, func(t *testing.T) {
			fx := start(t, Options{})
			url := "http://" + fx.service("web", named(port))
			r := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Trailer", "X-Announced")
				body, _ := io.ReadAll(r.Body)
				fmt.Fprint(w, string(body))
				w.Header().Set("X-Announced", r.Trailer.Get("X-Sum"))
				w.Header().Set(http.TrailerPrefix+"X-Late", "1")
			})
			fx.endpoints("web", at("a", r.address))
			// a reader of unknown length, so that the body is sent in chunks
			req, err := http.NewRequest(http.MethodPost, url, io.MultiReader(strings.NewReader("hello")))
			if err != nil {
				t.Fatal(err)
			}
			req.Trailer = http.Header{"X-Sum": {"42"}}
			res, err := client(t).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); string(body) != "hello" || err != nil {
				t.Errorf("%q %v", body, err)
			}
			if res.Trailer.Get("X-Announced") != "42" || res.Trailer.Get("X-Late") != "1" {
				t.Errorf("trailers %v", res.Trailer)
			}
		})
	}
}

func TestServerSentEvents(t *testing.T) {
	fx := start(t, Options{})
	url := "http://" + fx.service("web")
	next := make(chan string)
	r := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for event := range next {
			fmt.Fprintf(w, "data: %s\n\n", event)
			_ = http.NewResponseController(w).Flush()
		}
	})
	fx.endpoints("web", at("a", r.address))
	events := make(chan string)
	go func() {
		defer close(events)
		res, err := client(t).Get(url)
		if err != nil {
			t.Error(err)
			return
		}
		defer res.Body.Close()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if lines.Text() != "" {
				events <- lines.Text()
			}
		}
	}()
	for _, event := range []string{"one", "two", "three"} {
		next <- event // the next one only after this one has arrived
		if got := <-events; got != "data: "+event {
			t.Errorf("%q, want %s", got, event)
		}
	}
	close(next)
	if _, more := <-events; more {
		t.Error("more events than were sent")
	}
}

// TestBothWaysAtOnce streams over HTTP/1.1: each chunk is answered before the next is sent.
func TestBothWaysAtOnce(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("web")
	r := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_ = http.NewResponseController(w).Flush()
		for lines := bufio.NewScanner(r.Body); lines.Scan(); {
			fmt.Fprintln(w, strings.ToUpper(lines.Text()))
			_ = http.NewResponseController(w).Flush()
		}
	})
	fx.endpoints("web", at("a", r.address))
	conn, reader := raw(t, address, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
	res, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewReader(res.Body)
	for _, word := range []string{"one", "two", "three"} {
		fmt.Fprintf(conn, "%x\r\n%s\n\r\n", len(word)+1, word)
		if line, err := answer.ReadString('\n'); err != nil || line != strings.ToUpper(word)+"\n" {
			t.Fatalf("%q %v, want %s", line, err, strings.ToUpper(word))
		}
	}
	fmt.Fprint(conn, "0\r\n\r\n")
	if rest, err := io.ReadAll(answer); len(rest) > 0 || err != nil {
		t.Errorf("%q %v", rest, err)
	}
}

// upgrade answers 101 and then echoes.
func upgrade(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Sec-WebSocket-Key") == "" {
		http.Error(w, "no upgrade", http.StatusBadRequest)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_, _ = io.Copy(conn, buffered)
}

const upgradeRequest = "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\n\r\n"

// upgraded opens an upgraded connection and says something over it.
func upgraded(t *testing.T, address string) (*net.TCPConn, *bufio.Reader) {
	t.Helper()
	conn, reader := raw(t, address, upgradeRequest)
	res, err := http.ReadResponse(reader, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v %v", res, err)
	}
	echo(t, conn, reader, "hello\n")
	return conn, reader
}

func echo(t *testing.T, conn net.Conn, reader *bufio.Reader, line string) {
	t.Helper()
	if _, err := io.WriteString(conn, line); err != nil {
		t.Fatal(err)
	}
	if got, err := reader.ReadString('\n'); err != nil || got != line {
		t.Fatalf("%q %v, want %q", got, err, line)
	}
}

func TestWebSocket(t *testing.T) {
	fx := start(t, Options{DrainTimeout: 50 * time.Millisecond})
	address := fx.service("web", named("h2c")) // upgrades go by HTTP/1.1 whatever the port speaks
	r := fx.replica("a", upgrade)
	fx.endpoints("web", at("a", r.address))
	conn, reader := upgraded(t, address)
	fx.endpoints("web", ready(at("a", r.address), false)) // R201
	fx.proxy.Withdraw("a")
	echo(t, conn, reader, "still there\n")
	if n := fx.proxy.InFlight("a"); n != 1 {
		t.Errorf("%d in flight", n)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(reader); len(rest) > 0 || err != nil {
		t.Errorf("%q %v after the end", rest, err)
	}
	<-fx.proxy.Drained("a")
	fx.proxy.Exited("a", "exited with code 0")
	if events := fx.events("RequestsLost"); len(events) > 0 {
		t.Errorf("a connection that its client ended counts as cut: %q", events)
	}
}

func TestUpgradedConnectionIsCut(t *testing.T) {
	t.Run("by its replica", func(t *testing.T) {
		fx := start(t, Options{})
		address := fx.service("web")
		release := make(chan struct{})
		r := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
			conn, buffered, _ := http.NewResponseController(w).Hijack()
			fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			line, _ := buffered.ReadString('\n')
			fmt.Fprint(conn, line)
			<-release
			_ = conn.Close()
		})
		fx.endpoints("web", at("a", r.address))
		conn, reader := upgraded(t, address)
		close(release)
		if _, err := reader.ReadByte(); err == nil {
			t.Error("the connection goes on")
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		fx.proxy.Exited("a", "was killed by SIGKILL")
		eventually(t, "the Event", func() bool { return len(fx.events("RequestsLost")) == 1 })
		if e := fx.events("RequestsLost")[0]; e != "a: 1 open connection was cut when a was killed by SIGKILL" {
			t.Error(e)
		}
	})
	t.Run("by the end of the proxy", func(t *testing.T) {
		fx := start(t, Options{DrainTimeout: 100 * time.Millisecond})
		address := fx.service("web")
		r := fx.replica("a", upgrade)
		fx.endpoints("web", at("a", r.address))
		_, reader := upgraded(t, address)
		fx.stop()
		if _, err := reader.ReadByte(); err == nil {
			t.Error("the connection goes on")
		}
		if events := fx.events("RequestsLost"); len(events) > 0 {
			t.Errorf("Events %q", events)
		}
	})
}
