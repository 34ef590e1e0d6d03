package kubectl

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// clusterTimeout is how long the API server may take to come up, which should be seconds.
const clusterTimeout = 3 * time.Minute

// Cluster is a running etcd and a kube-apiserver, and nothing else of Kubernetes: what a node or a
// controller would do, nobody does, unless [Cluster.StartControllers] is called. Make it with
// [StartCluster] and end it with [Cluster.Stop].
type Cluster struct {
	// Kubeconfig is the path of the file by which its administrator reaches it.
	Kubeconfig string

	program string
	dir     string
	url     string
	etcd    string          // the URL of it
	ctx     context.Context // of all programs; its cause is why one ended
	stop    context.CancelCauseFunc
	running sync.WaitGroup
	server  *component
	flags   []string // of the API server, its name first
	// controllers is nil unless they run
	controllers *component
}

// component is a program of a cluster.
type component struct {
	cmd     *exec.Cmd
	crashed atomic.Bool // it was ended on purpose, and the others go on
	ended   chan struct{}
}

// errStopped is why programs end that nothing is wrong with.
var errStopped = errors.New("the cluster was stopped")

// StartCluster starts the components of a program, see test/differential/kubernetes, with their
// files in a folder, and returns when requests are answered.
func StartCluster(ctx context.Context, program, dir string) (*Cluster, error) {
	c := &Cluster{Kubeconfig: filepath.Join(dir, "kubeconfig"), dir: dir, program: program}
	c.ctx, c.stop = context.WithCancelCause(ctx)
	if err := c.start(program); err != nil {
		return nil, errors.Join(err, c.Stop(), c.logTails())
	}
	return c, nil
}

func (c *Cluster) start(program string) error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	c.url = fmt.Sprintf("https://127.0.0.1:%d", ports[0])
	if err := c.writeFiles(); err != nil {
		return err
	}
	in := func(name string) string { return filepath.Join(c.dir, name) }
	var peers string
	c.etcd, peers = fmt.Sprintf("http://127.0.0.1:%d", ports[1]), fmt.Sprintf("http://127.0.0.1:%d", ports[2])
	c.flags = []string{
		"apiserver", "--etcd-servers=" + c.etcd, "--cert-dir=" + in("certificates"), "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", ports[0]),
		"--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", "--service-account-issuer=https://probity.test",
		"--service-account-key-file=" + in("signing.key"), "--service-account-signing-key-file=" + in("signing.key"), "--service-cluster-ip-range=10.96.0.0/16",
		"--token-auth-file=" + in("tokens.csv"), "--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount",
		"--audit-policy-file=" + in("audit.yaml"), "--audit-log-path=" + in(auditLog),
	}
	if _, err := c.run(program, []string{
		"etcd", "--unsafe-no-fsync", "--log-level=error", "--data-dir=" + in("etcd"), "--listen-client-urls=" + c.etcd, "--advertise-client-urls=" + c.etcd,
		"--listen-peer-urls=" + peers, "--initial-advertise-peer-urls=" + peers, "--initial-cluster=default=" + peers,
	}); err != nil {
		return err
	}
	return c.startServer()
}

func (c *Cluster) startServer() (err error) {
	if c.server, err = c.run(c.program, c.flags); err != nil {
		return err
	}
	return c.waitFor("the API server", c.ready)
}

// Crash ends the API server and the controllers at once, as the loss of their machine would, and
// returns what starts them again and waits until the server answers.
func (c *Cluster) Crash() (restart func() error, err error) {
	lost := []*component{c.server}
	if c.controllers != nil {
		lost = append(lost, c.controllers)
	}
	for _, component := range lost {
		component.crashed.Store(true)
		if err := component.cmd.Process.Kill(); err != nil {
			return nil, err
		}
		<-component.ended
	}
	return func() error {
		if err := c.startServer(); err != nil || c.controllers == nil {
			return err
		}
		return c.StartControllers()
	}, nil
}

// StartControllers starts Kubernetes' own controllers, which make Pods of workloads. Still nobody
// schedules or runs them.
//
// The one that waits for nodes to report is not among them, because nobody is a kubelet.
func (c *Cluster) StartControllers() (err error) {
	c.controllers, err = c.run(c.program, []string{
		"controllers", "--kubeconfig=" + c.Kubeconfig, "--leader-elect=false", "--service-account-private-key-file=" + filepath.Join(c.dir, "signing.key"),
		"--controllers=*,-node-lifecycle-controller", "--secure-port=0", "--kube-api-qps=1000", "--kube-api-burst=1000",
	})
	return err
}

const (
	clusterToken = "compared"
	// countedToken is that of an administrator whose requests are in the audit log, and nobody
	// else's.
	countedToken = "counted"
	auditLog     = "audit.jsonl"
)

func (c *Cluster) writeFiles() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"signing.key": string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})), // of tokens that nobody asks for
		"tokens.csv":  clusterToken + ",admin,1,\"system:masters\"\n" + countedToken + ",counted,2,\"system:masters\"\n",
		"audit.yaml":  "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata, users: [counted]}, {level: None}]\n",
		"kubeconfig": `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "` + c.url + `", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: ` + clusterToken + `}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`,
	} {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// run starts a component. Its end before Stop is the end of the cluster, unless it was made to
// crash. What it says comes after what it has said before.
func (c *Cluster) run(program string, args []string) (*component, error) {
	log, err := os.OpenFile(filepath.Join(c.dir, args[0]+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(c.ctx, program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot start %s: %w", args[0], err), log.Close())
	}
	started := &component{cmd: cmd, ended: make(chan struct{})}
	c.running.Go(func() {
		defer close(started.ended)
		err := errors.Join(cmd.Wait(), log.Close())
		if !started.crashed.Load() {
			c.stop(fmt.Errorf("%s has ended: %w", args[0], err))
		}
	})
	return started, nil
}

// ready is why the API server cannot be used yet.
func (c *Cluster) ready() error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // its certificate is its own
	for _, path := range []string{"/readyz", "/api/v1/namespaces/default"} {
		request, err := http.NewRequestWithContext(c.ctx, http.MethodGet, c.url+path, nil)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+clusterToken)
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
			return errors.Join(err, fmt.Errorf("%s: %s", path, response.Status))
		}
	}
	return nil
}

// waitFor tries until it works.
func (c *Cluster) waitFor(what string, try func() error) error {
	deadline := time.After(clusterTimeout)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline:
			return fmt.Errorf("cannot wait for %s any longer: %w", what, err)
		case <-c.ctx.Done():
			return fmt.Errorf("cannot wait for %s: %w", what, context.Cause(c.ctx))
		}
	}
}

// Stop ends both programs and waits for them.
func (c *Cluster) Stop() error {
	c.stop(errStopped)
	c.running.Wait()
	if err := context.Cause(c.ctx); !errors.Is(err, errStopped) {
		return err
	}
	return nil
}

// logTails are the ends of what the programs said.
func (c *Cluster) logTails() error {
	logs, err := filepath.Glob(filepath.Join(c.dir, "*.log"))
	for _, path := range logs {
		data, readErr := os.ReadFile(path)
		lines := strings.Split(string(data), "\n")
		err = errors.Join(err, readErr, fmt.Errorf("%s said:\n%s", filepath.Base(path), strings.Join(lines[max(0, len(lines)-20):], "\n")))
	}
	return err
}

// freePorts are numbers at which nobody listens, lower than those that the kernel gives to outgoing
// connections.
func freePorts(count int) (ports []int, err error) {
	const lowest, tries = 10000, 200
	for range tries {
		if len(ports) == count {
			return ports, nil
		}
		port := lowest + mathrand.IntN(2*lowest)
		var listener net.Listener
		if listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			defer listener.Close() // all of them are another one
			ports = append(ports, port)
		}
	}
	return nil, fmt.Errorf("cannot find %d free ports from %d on: %w", count, lowest, err)
}
