package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// asReplica makes this test binary a replica: a process that can be killed.
const asReplica = "PROXY_TEST_REPLICA"

func TestMain(m *testing.M) {
	if os.Getenv(asReplica) != "" {
		serveAsReplica()
		return
	}
	os.Exit(m.Run())
}

// serveAsReplica answers after 5 ms. It prints each request that it received, so that the test
// knows what was sent twice.
func serveAsReplica() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println(r.Method, string(body))
		time.Sleep(5 * time.Millisecond)
		fmt.Fprint(w, r.Method, " ", string(body))
	})))
}

// replicaProcess is a replica in a process of its own.
type replicaProcess struct {
	cmd     *exec.Cmd
	address string
	seen    chan map[string]int // gets, when the process has ended, how often each line was printed
}

func startReplicaProcess(t *testing.T) *replicaProcess {
	t.Helper()
	c := &replicaProcess{cmd: exec.Command(os.Args[0]), seen: make(chan map[string]int, 1)}
	c.cmd.Env = append(os.Environ(), asReplica+"=1")
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.kill() })
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	c.address = strings.TrimSpace(first)
	go func() {
		seen := map[string]int{}
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				c.seen <- seen
				return
			}
			seen[strings.TrimSpace(line)]++
		}
	}()
	return c
}

// kill kills the process, waits for its end and returns how it ended.
func (c *replicaProcess) kill() string {
	_ = c.cmd.Process.Kill()
	return fmt.Sprint(c.cmd.Wait())
}
