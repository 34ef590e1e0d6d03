//go:build soak

package soak

import (
	"bufio"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// largeSize is how long a large answer is: long enough to be spliced in several pieces.
const largeSize = 3 << 20

// pattern writes bytes that depend on the number of a request, so that an answer to another one is
// noticed.
func pattern(w io.Writer, id string, size int) error {
	line := []byte(id + "\n")
	piece := make([]byte, 0, 64<<10)
	for len(piece)+len(line) <= cap(piece) {
		piece = append(piece, line...)
	}
	for size > 0 {
		n, err := w.Write(piece[:min(len(piece), size)])
		if err != nil {
			return err
		}
		size -= n
	}
	return nil
}

// paced writes with pauses, as what an application writes while it works on it: a whole answer fits
// into the buffers of the kernel, and what is there does not break with the process.
type paced struct{ io.Writer }

func (w paced) Write(p []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return w.Writer.Write(p)
}

// serveAsReplica is a replica behind the front of [TestFront]. It ends as soon as it has answered
// what it has got when it is told to.
func serveAsReplica() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /id/{id}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.PathValue("id")) })
	mux.HandleFunc("GET /slow/{id}", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(300 * time.Millisecond)
		fmt.Fprint(w, r.PathValue("id"))
	})
	mux.HandleFunc("GET /large/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(largeSize))
		_ = pattern(paced{w}, r.PathValue("id"), largeSize) // fails if the client has left
	})
	mux.HandleFunc("GET /chunks/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Id")
		_ = pattern(paced{w}, r.PathValue("id"), largeSize/10) // fails if the client has left
		w.Header().Set("X-Id", r.PathValue("id"))
	})
	mux.HandleFunc("POST /sum/{id}", func(w http.ResponseWriter, r *http.Request) {
		sum := crc32.NewIEEE()
		if _, err := io.Copy(sum, r.Body); err == nil {
			fmt.Fprintf(w, "%s %x", r.PathValue("id"), sum.Sum32())
		}
	})
	mux.HandleFunc("GET /until-close/{id}", hijacked(func(conn *net.TCPConn, _ *bufio.ReadWriter, id string) {
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nX-Pid: %d\r\n\r\n", os.Getpid())
		_ = pattern(paced{conn}, id, largeSize/10) // fails if the client has left
	}))
	mux.HandleFunc("GET /reset/{id}", hijacked(func(conn *net.TCPConn, _ *bufio.ReadWriter, _ string) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
		_ = conn.SetLinger(0)
	}))
	mux.HandleFunc("POST /refuse/{id}", hijacked(func(conn *net.TCPConn, _ *bufio.ReadWriter, id string) {
		fmt.Fprintf(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(id), id)
	}))
	mux.HandleFunc("GET /echo/{id}", hijacked(func(conn *net.TCPConn, in *bufio.ReadWriter, _ string) {
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(conn, in)
	}))
	server := &http.Server{Addr: ":" + os.Getenv("PORT"), Handler: mux}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			fmt.Println(err)
			os.Exit(1)
		}
	}()
	<-ctx.Done()
	limited, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = server.Shutdown(limited) // what takes longer is broken off
}

// hijacked handles a connection by itself.
func hijacked(handle func(conn *net.TCPConn, in *bufio.ReadWriter, id string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, in, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer conn.Close()
		handle(conn.(*net.TCPConn), in, r.PathValue("id"))
	}
}
