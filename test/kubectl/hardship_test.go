//go:build kubectl && cluster

package kubectl

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// TestClusterHardship has probity deploy and check --context meet what goes wrong with a cluster:
// crowds, servers and connections that are lost, programs that are killed, credentials that expire,
// rights that are missing. Kubernetes' own controllers are there, the node is played.
func TestClusterHardship(t *testing.T) {
	cluster := startCluster(t)
	defer func() {
		_, err := cluster.Crash() // it ends sooner than by a request
		if err := errors.Join(err, cluster.Stop()); err != nil {
			t.Error(err)
		}
	}()
	if err := cluster.StartControllers(); err != nil {
		t.Fatal(err)
	}
	h := hardship{cluster, must(BuildProbity(t.Context(), folder))(t)}
	t.Run("Crowd", h.testCrowd)
	t.Run("Together", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T){
			"Dropped": h.testDropped, "Trickle": h.testTrickle, "Killed": h.testKilled, "Interrupted": h.testInterrupted, "Unanswered": h.testUnanswered,
			"Expired": h.testExpired, "ExpiredForGood": h.testExpiredForGood, "Clock": h.testClock,
			"Roles": h.testRoles, "SomeNamespaces": h.testSomeNamespaces,
			"Causes": h.testCauses, "OldPods": h.testOldPods, "Stuck": h.testStuck, "Input": h.testInput,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
	t.Run("Outage", h.testOutage) // for which all others would have to wait
}

// hardship is what the tests share.
type hardship struct {
	cluster *Cluster
	probity string
}

// connect is a connection to the cluster with a namespace in which all Pods become ready.
func (h hardship) connect(t *testing.T) clients {
	c := connectTo(t, h.cluster.Kubeconfig)
	playNode(t, c.typed, c.namespace)
	return c
}

// deployer runs probity deploy by a kubeconfig.
func (h hardship) deployer(t *testing.T, kubeconfig string) deployer {
	return deployer{h.probity, kubeconfig, t.TempDir()}
}

// kubeconfig is a copy of the administrator's, changed.
func (h hardship) kubeconfig(t *testing.T, change func(*api.Cluster, *api.AuthInfo)) string {
	t.Helper()
	config := must(clientcmd.LoadFromFile(h.cluster.Kubeconfig))(t)
	for name := range config.Clusters {
		for user := range config.AuthInfos {
			change(config.Clusters[name], config.AuthInfos[user])
		}
	}
	path := t.TempDir() + "/kubeconfig"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// command is a run of probity that is under way.
type command struct {
	*exec.Cmd
	ended chan struct{}
	err   error // once it has ended

	mu   sync.Mutex
	rest []byte // of a line
	said []line
}

// line is one that a command has printed, and when.
type line struct {
	at   time.Time
	text string
}

// begin starts probity. It is killed when the test ends before it does.
func (h hardship) begin(t *testing.T, kubeconfig string, args ...string) *command {
	t.Helper()
	c := &command{Cmd: exec.CommandContext(t.Context(), h.probity, args...), ended: make(chan struct{})}
	c.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	c.Stdout, c.Stderr = c, c
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		c.err = c.Wait()
	}()
	t.Cleanup(func() { <-c.ended }) // the context of the test is done by then
	return c
}

// Write takes what the command prints.
func (c *command) Write(data []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rest = append(c.rest, data...)
	for {
		text, rest, ok := bytes.Cut(c.rest, []byte("\n"))
		if !ok {
			return len(data), nil
		}
		c.said, c.rest = append(c.said, line{time.Now(), string(text)}), rest
	}
}

// find returns the first line with a text.
func (c *command) find(text string) (found line, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.said {
		if strings.Contains(l.text, text) {
			return l, true
		}
	}
	return line{}, false
}

// output is all that it has said.
func (c *command) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, l := range c.said {
		b.WriteString(l.text + "\n")
	}
	return b.String() + string(c.rest)
}

// await waits until it has printed a line with a text.
func (c *command) await(t *testing.T, text string) (found line) {
	t.Helper()
	said := func() (ok bool) {
		found, ok = c.find(text)
		return ok
	}
	over := func() bool {
		select {
		case <-c.ended:
			return true
		default:
			return said()
		}
	}
	if !within(timeout, over) || !said() {
		t.Fatalf("it does not say %q:\n%s", text, c.output())
	}
	return found
}

// wants waits for its end, and expects an exit code and texts in what it has said.
func (c *command) wants(t *testing.T, code int, texts ...string) {
	t.Helper()
	select {
	case <-c.ended:
	case <-time.After(timeout):
		_ = c.Process.Signal(syscall.SIGQUIT) // so that it says where it is
		<-c.ended
		t.Fatalf("it does not end:\n%s", c.output())
	}
	says := c.output()
	if got := c.ProcessState.ExitCode(); got != code {
		t.Errorf("it ends with %d, want %d:\n%s", got, code, says)
	}
	for _, text := range texts {
		if !strings.Contains(says, text) {
			t.Errorf("it does not say %q:\n%s", text, says)
		}
	}
}

// memory is the most that it has had, in bytes, once it has ended.
func (c *command) memory() int64 { return c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10 }
