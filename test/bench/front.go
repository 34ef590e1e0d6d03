//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/probity-run/probity/test/ports"
)

// frontLoad is what the clients of the proxies do: 64 of them send requests one after the other.
type frontLoad struct {
	size int // of the answers
	kind string
}

const (
	// keptConnections: each client keeps its connection.
	keptConnections = "kept"
	// newConnections: each request has a connection of its own.
	newConnections = "new"
	// idleConnections: 5,000 connections have had one request each, and nothing comes any more.
	idleConnections = "idle"
)

// fronts measures Probity's proxy of a Service (the front) beside other proxies: each alone on the
// first CPU, the client and three replicas on the second, with answers of three sizes, with new
// connections, and with idle ones.
func (b *bench) fronts(w io.Writer, p plan) error {
	for _, load := range []frontLoad{{200, keptConnections}, {64 << 10, keptConnections}, {1 << 20, keptConnections}, {200, newConnections}, {200, idleConnections}} {
		if err := frontsOf(w, p, load); err != nil {
			return err
		}
	}
	return nil
}

func frontsOf(w io.Writer, p plan, load frontLoad) error {
	replicas, err := startChild(1, "replicas", fmt.Sprint(load.size))
	if err != nil {
		return err
	}
	defer replicas.end()
	var addresses []string
	if err := replicas.answer(&addresses); err != nil {
		return err
	}
	rows := map[string][]frontRow{}
	for range p.rounds {
		for _, f := range allFronts() {
			row, err := f.measure(addresses, load, p.window)
			if errors.Is(err, exec.ErrNotFound) {
				fmt.Fprintf(os.Stderr, "bench: %s is NOT MEASURED: it is not installed\n", f.name)
				continue
			}
			if err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			rows[f.name] = append(rows[f.name], row)
		}
	}
	if load.kind == idleConnections {
		idleTable(w, rows)
		return nil
	}
	fmt.Fprintf(w, "\nFRONTS, %d BYTES, 64 %s CONNECTIONS\tCPU µs/request\t÷ httputil\trequests/s\tp50\tp99\tPSS MB\tfailed\n", load.size, strings.ToUpper(load.kind))
	bare := median(rows["httputil"]).perRequest()
	for _, f := range allFronts() {
		if len(rows[f.name]) == 0 {
			continue
		}
		r := median(rows[f.name])
		fmt.Fprintf(w, "%s\t%.1f\t%.2f\t%.0f\t%v\t%v\t%.0f\t%d\n", f.name, r.perRequest(), r.perRequest()/bare, float64(r.Requests)/r.Window.Seconds(),
			r.P50.Round(10*time.Microsecond), r.P99.Round(10*time.Microsecond), float64(r.memory.proportional)/1024, r.Failed)
	}
	return nil
}

// idleTable has the memory of a connection without a request.
func idleTable(w io.Writer, rows map[string][]frontRow) {
	fmt.Fprintf(w, "\nFRONTS, %d IDLE CONNECTIONS\tanonymous KB/connection\tRSS MB\tfailed\n", idleCount)
	for _, f := range allFronts() {
		if len(rows[f.name]) > 0 {
			r := median(rows[f.name])
			fmt.Fprintf(w, "%s\t%.1f\t%.0f\t%d\n", f.name, float64(r.memory.anonymous-r.before.anonymous)/idleCount, float64(r.memory.resident)/1024, r.Failed)
		}
	}
}

// frontRow is what one proxy cost, and what its client measured.
type frontRow struct {
	clientReport
	cpu    time.Duration
	before memory // the client came
	memory memory
}

func (r frontRow) perRequest() float64 {
	return float64(r.cpu) / float64(time.Microsecond) / float64(max(1, r.Requests))
}

// median is the row whose CPU time per request is the median.
func median(rows []frontRow) frontRow {
	if len(rows) == 0 {
		return frontRow{}
	}
	sorted := slices.Clone(rows)
	slices.SortFunc(sorted, func(a, b frontRow) int {
		return int(a.perRequest()*1000) - int(b.perRequest()*1000)
	})
	return sorted[len(sorted)/2]
}

// front is a proxy, and how it is started at a port for some replicas.
type front struct {
	name  string
	start func(dir string, port int, replicas []string) (*exec.Cmd, error)
}

func allFronts() []front {
	return []front{
		{"httputil", self("httputil")}, {"probity", self("front")}, {"nginx", nginx}, {"haproxy", haproxy}, {"caddy", caddy},
	}
}

// measure runs the proxy and a client of it.
func (f front) measure(replicas []string, load frontLoad, window time.Duration) (row frontRow, err error) {
	dir, err := os.MkdirTemp("", "probity-front")
	if err != nil {
		return row, err
	}
	defer os.RemoveAll(dir)
	port, release, err := ports.Reserve()
	if err != nil {
		return row, err
	}
	defer release()
	cmd, err := f.start(dir, port, replicas)
	if err != nil {
		return row, err
	}
	if err := onCPU(0, cmd.Start); err != nil {
		return row, err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // however it ends
	}()
	address := fmt.Sprintf("127.0.0.1:%d", port)
	if err := waitUntilServing(address); err != nil {
		return row, err
	}
	pids, err := processAndChildren(cmd.Process.Pid)
	if err != nil {
		return row, err
	}
	if row.before, err = memoryOfAll(pids); err != nil {
		return row, err
	}
	client, err := startChild(1, "client", address, window.String(), fmt.Sprint(load.size), load.kind)
	if err != nil {
		return row, err
	}
	defer client.end()
	var begun bool
	if err := client.answer(&begun); err != nil {
		return row, err
	}
	before, err := processTimes(pids)
	if err != nil {
		return row, err
	}
	if err := client.answer(&row.clientReport); err != nil {
		return row, err
	}
	after, err := processTimes(pids)
	if err != nil {
		return row, err
	}
	row.cpu = after - before
	row.memory, err = memoryOfAll(pids)
	return row, err
}

func memoryOfAll(pids []int) (sum memory, err error) {
	for _, pid := range pids {
		one, err := memoryOf(pid)
		if err != nil {
			return sum, err
		}
		sum = sum.plus(one)
	}
	return sum, nil
}

// self starts this program as a proxy.
func self(role string) func(string, int, []string) (*exec.Cmd, error) {
	return func(dir string, port int, replicas []string) (*exec.Cmd, error) {
		path, err := os.Executable()
		if err != nil {
			return nil, err
		}
		list, err := json.Marshal(replicas)
		if err != nil {
			return nil, err
		}
		cmd := exec.Command(path, role, fmt.Sprint(port), string(list))
		cmd.Stderr, cmd.Dir = os.Stderr, dir
		return cmd, nil
	}
}

func nginx(dir string, port int, replicas []string) (*exec.Cmd, error) {
	var servers strings.Builder
	for _, r := range replicas {
		fmt.Fprintf(&servers, "server %s; ", r)
	}
	return installedProxy(dir, "nginx", []string{"-c", "CONFIG", "-p", dir, "-e", "stderr"}, fmt.Sprintf(`
daemon off; worker_processes 1; pid %s/pid; error_log stderr crit;
events { worker_connections 16384; }
http { access_log off; keepalive_requests 1000000000;
upstream u { %s keepalive 64; }
server { listen 127.0.0.1:%d; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr; } } }
`, dir, servers.String(), port))
}

func haproxy(dir string, port int, replicas []string) (*exec.Cmd, error) {
	var servers strings.Builder
	for i, r := range replicas {
		fmt.Fprintf(&servers, "  server s%d %s\n", i, r)
	}
	return installedProxy(dir, "haproxy", []string{"-db", "-q", "-f", "CONFIG"}, fmt.Sprintf(`
global
  maxconn 8192
  nbthread 1
defaults
  mode http
  option forwardfor
  http-reuse always
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend f
  bind 127.0.0.1:%d
  default_backend b
backend b
  balance leastconn
%s`, port, servers.String()))
}

func caddy(dir string, port int, replicas []string) (*exec.Cmd, error) {
	return installedProxy(dir, "caddy", []string{"run", "--config", "CONFIG", "--adapter", "caddyfile"}, fmt.Sprintf(`
{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://:%d {
  bind 127.0.0.1
  reverse_proxy %s {
    lb_policy least_conn
  }
}
`, port, strings.Join(replicas, " ")))
}

// installedProxy is an installed program with a configuration file. The error is exec.ErrNotFound
// if it is not installed.
func installedProxy(dir, name string, args []string, config string) (*exec.Cmd, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, exec.ErrNotFound
	}
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "CONFIG", file)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "HOME="+dir) // one processor, as the others have
	return cmd, nil
}
