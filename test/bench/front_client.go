//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// connections is how many connections a client keeps.
const connections = 64

// clientReport is what the client of a proxy measured.
type clientReport struct {
	Requests, Failed int
	Window           time.Duration
	P50, P99         time.Duration
}

// idleCount is how many connections are idle.
const idleCount = 5000

// idle has connections that had one request each, and after the window reports whether they last.
// It prints true when they are there, and then the report. They are closed after that.
func idle(address string, window time.Duration, size int, out io.Writer) error {
	report := clientReport{Window: window}
	var conns []net.Conn
	for range idleCount {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		conns = append(conns, conn)
		if err := ask(conn, bufio.NewReader(conn), size); err != nil {
			report.Failed++
		}
		report.Requests++
	}
	encoder := json.NewEncoder(out)
	if err := encoder.Encode(true); err != nil {
		return err
	}
	time.Sleep(window)
	if err := encoder.Encode(report); err != nil {
		return err
	}
	time.Sleep(window) // until the memory was read, or this process is ended
	for _, conn := range conns {
		_ = conn.Close()
	}
	return nil
}

// client sends requests one after the other over each of its connections, or each over a new one.
// It prints true when its measurement begins, and then the report.
func client(address string, window time.Duration, load frontLoad, out io.Writer) error {
	if load.kind == idleConnections {
		return idle(address, window, load.size, out)
	}
	var measuring atomic.Bool
	var clients sync.WaitGroup
	all := make([][]time.Duration, connections)
	failed := make([]int, connections)
	stop := make(chan struct{})
	for i := range connections {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := sendRequests(address, load, stop, func(took time.Duration) {
					if measuring.Load() {
						all[i] = append(all[i], took)
					}
				}); err != nil {
					failed[i]++
				}
			}
		})
	}
	time.Sleep(time.Second)
	encoder := json.NewEncoder(out)
	if err := encoder.Encode(true); err != nil {
		return err
	}
	begin := time.Now()
	measuring.Store(true)
	time.Sleep(window)
	measuring.Store(false)
	report := clientReport{Window: time.Since(begin)}
	close(stop)
	clients.Wait()
	took := slices.Concat(all...)
	slices.Sort(took)
	report.Requests, report.P50, report.P99 = len(took), quantile(took, 0.5), quantile(took, 0.99)
	for _, n := range failed {
		report.Failed += n
	}
	return encoder.Encode(report)
}

// sendRequests sends requests over one connection until it breaks or stop is closed, or only one if
// each has a new one.
func sendRequests(address string, load frontLoad, stop <-chan struct{}, done func(took time.Duration)) error {
	dialed := time.Now()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 32<<10)
	if load.kind == newConnections {
		if err := ask(conn, in, load.size); err != nil {
			return err
		}
		done(time.Since(dialed))
		return nil
	}
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		begin := time.Now()
		if err := ask(conn, in, load.size); err != nil {
			return err
		}
		done(time.Since(begin))
	}
}

// ask sends one request and reads the answer.
func ask(conn net.Conn, in *bufio.Reader, size int) error {
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: bench\r\n\r\n"); err != nil {
		return err
	}
	return answer(in, size)
}

// answer reads an answer and checks its size.
func answer(in *bufio.Reader, size int) error {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && !first && bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
		if first && !bytes.Contains(line, []byte(" 200 ")) {
			return fmt.Errorf("answered %q", line)
		}
	}
	if length != size {
		return fmt.Errorf("an answer of %d bytes, not %d", length, size)
	}
	_, err := in.Discard(length)
	return err
}

// replicas serves answers of that size at three ports, until the process ends.
func replicas(size int, out io.Writer) error {
	text := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("a", size))
	var addresses []string
	for range 3 {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		addresses = append(addresses, listener.Addr().String())
		go func() { // ends with the process
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				go sendReplies(conn, text)
			}
		}()
	}
	if err := json.NewEncoder(out).Encode(addresses); err != nil {
		return err
	}
	select {}
}

// sendReplies answers every request without a body with the same text.
func sendReplies(conn net.Conn, text []byte) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		for {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) <= 2 {
				break
			}
		}
		if _, err := conn.Write(text); err != nil {
			return
		}
	}
}

// waitUntilServing waits until a proxy answers.
func waitUntilServing(address string) (err error) {
	for range 500 {
		var res *http.Response
		if res, err = http.Get("http://" + address + "/"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(res.Status)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// processAndChildren are the ids of a process and of its children.
func processAndChildren(pid int) ([]int, error) {
	pids := []int{pid}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, err
	}
	for _, thread := range threads {
		children, err := os.ReadFile(thread)
		if err != nil {
			return nil, err
		}
		for word := range strings.FieldsSeq(string(children)) {
			child, err := strconv.Atoi(word)
			if err != nil {
				return nil, err
			}
			pids = append(pids, child)
		}
	}
	return pids, nil
}
