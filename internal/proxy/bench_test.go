package proxy

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkProxy compares the proxy with a bare httputil.ReverseProxy whose Transport is set up as
// well: 200 bytes, kept connections, parallel clients, one replica. Client, proxy and replica share
// the process, so compare the difference to direct rather than the figures.
func BenchmarkProxy(b *testing.B) {
	body := strings.Repeat("x", 200)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	defer origin.Close()
	address := origin.Listener.Addr().String()
	b.Run("direct", func(b *testing.B) { load(b, address) })
	b.Run("bare", func(b *testing.B) {
		transport := &http.Transport{MaxIdleConnsPerHost: upstreamMaxIdle, DisableCompression: true}
		defer transport.CloseIdleConnections()
		pool := &bufferPool{}
		front := httptest.NewServer(&httputil.ReverseProxy{BufferPool: pool, Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", address
			r.SetXForwarded()
		}})
		defer front.Close()
		load(b, front.Listener.Addr().String())
	})
	b.Run("ours", func(b *testing.B) {
		fx := start(b, Options{})
		front := fx.service("web")
		fx.endpoints("web", at("a", address))
		load(b, front)
		fx.stop()
	})
}

// load sends requests over 64 connections at a time, with a client that does as little as possible,
// and reports the processor time of the whole process per request.
func load(b *testing.B, address string) {
	b.Helper()
	const request = "GET / HTTP/1.1\r\nHost: web\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
	b.SetParallelism(32)
	b.ReportAllocs()
	before := cpu(b)
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		buffer := make([]byte, 8<<10)
		for pb.Next() {
			if _, err := io.WriteString(conn, request); err != nil {
				b.Error(err)
				return
			}
			for n := 0; n == 0 || !strings.HasSuffix(string(buffer[:n]), "xxxx"); {
				m, err := conn.Read(buffer[n:])
				if n += m; err != nil {
					b.Errorf("%v after %q", err, buffer[:n])
					return
				}
			}
		}
	})
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTCP has a replica echo what one client of a TCP Service sends, in pieces of a size.
func BenchmarkTCP(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, struct{ io.Reader }{conn})
			}()
		}
	}()
	for name, size := range map[string]int{"100 bytes": 100, "64 KiB": 64 << 10, "1 MiB": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			fx := start(b, Options{})
			front := fx.service("db", named("tcp"))
			fx.endpoints("db", at("a", l.Addr().String()))
			conn, err := net.Dial("tcp", front)
			if err != nil {
				b.Fatal(err)
			}
			piece, answer := make([]byte, size), make([]byte, size)
			b.SetBytes(int64(size))
			before := cpu(b)
			for b.Loop() {
				go func() { _, _ = conn.Write(piece) }() // ended by the read of all of it
				if _, err := io.ReadFull(conn, answer); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1e3, "cpu-µs/op")
			_ = conn.Close()
			fx.stop()
		})
	}
}
