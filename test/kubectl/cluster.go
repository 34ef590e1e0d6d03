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
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
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
	ctx     context.Context // of both programs; its cause is why one ended
	stop    context.CancelCauseFunc
	running sync.WaitGroup
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
	etcd, peers := fmt.Sprintf("http://127.0.0.1:%d", ports[1]), fmt.Sprintf("http://127.0.0.1:%d", ports[2])
	for _, component := range [][]string{
		{
			"etcd", "--unsafe-no-fsync", "--log-level=error", "--data-dir=" + in("etcd"), "--listen-client-urls=" + etcd, "--advertise-client-urls=" + etcd,
			"--listen-peer-urls=" + peers, "--initial-advertise-peer-urls=" + peers, "--initial-cluster=default=" + peers,
		},
		{
			"apiserver", "--etcd-servers=" + etcd, "--cert-dir=" + in("certificates"), "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", ports[0]),
			"--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", "--service-account-issuer=https://probity.test",
			"--service-account-key-file=" + in("signing.key"), "--service-account-signing-key-file=" + in("signing.key"), "--service-cluster-ip-range=10.96.0.0/16",
			"--token-auth-file=" + in("tokens.csv"), "--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount",
		},
	} {
		if err := c.run(program, component); err != nil {
			return err
		}
	}
	return c.waitFor("the API server", c.ready)
}

// StartControllers starts Kubernetes' own controllers, which make Pods of workloads. Still nobody
// schedules or runs them.
func (c *Cluster) StartControllers() error {
	return c.run(c.program, []string{
		"controllers", "--kubeconfig=" + c.Kubeconfig, "--leader-elect=false", "--service-account-private-key-file=" + filepath.Join(c.dir, "signing.key"),
		"--controllers=*", "--secure-port=0",
	})
}

const clusterToken = "compared"

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
		"tokens.csv":  clusterToken + ",admin,1,\"system:masters\"\n",
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

// run starts a component. Its end before Stop is the end of the cluster.
func (c *Cluster) run(program string, args []string) error {
	log, err := os.Create(filepath.Join(c.dir, args[0]+".log"))
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(c.ctx, program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("cannot start %s: %w", args[0], err), log.Close())
	}
	c.running.Go(func() {
		err := cmd.Wait()
		c.stop(errors.Join(fmt.Errorf("%s has ended: %w", args[0], err), log.Close()))
	})
	return nil
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

// freePorts are numbers at which nobody listens.
func freePorts(count int) (ports []int, err error) {
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() // all of them are another one
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
