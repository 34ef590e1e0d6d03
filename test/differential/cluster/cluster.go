package cluster

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// startTimeout is how long a component may take to come up, on a machine that does other things
// too.
const startTimeout = 2 * time.Minute

// signingKey is the key of service account tokens, which nobody uses here, in the cluster's folder.
const signingKey = "signing.key"

// Cluster is a running cluster. Make it with [Start].
type Cluster struct {
	API API

	dir     string
	options Options
	ctx     context.Context // of all components; its cause is why one ended
	stop    context.CancelCauseFunc
	running sync.WaitGroup

	importing sync.Mutex // guards imageFile
}

// errStopped is why components end that nothing is wrong with.
var errStopped = errors.New("the cluster was stopped")

// Options are what a cluster has otherwise than the scenarios of the comparison want it. The zero
// value is theirs.
type Options struct {
	// AllControllers starts all controllers, not only those that the scenarios need.
	AllControllers bool
	// LongBackOff leaves the crash-loop back-off as it is everywhere: up to five minutes.
	LongBackOff bool
}

// Start brings a cluster up in dir, in the namespaces that [PrepareNamespaces] made, and returns
// when its node is Ready. [Cluster.Stop] ends it.
func Start(ctx context.Context, dir string, tools Tools) (*Cluster, error) {
	return Options{}.Start(ctx, dir, tools)
}

// Start is [Start] of a cluster with options.
func (o Options) Start(ctx context.Context, dir string, tools Tools) (*Cluster, error) {
	c := &Cluster{API: newAPI(), dir: dir, options: o}
	c.ctx, c.stop = context.WithCancelCause(ctx)
	if err := c.start(tools); err != nil {
		return nil, errors.Join(err, c.Stop(), c.logTails())
	}
	return c, nil
}

func (c *Cluster) start(tools Tools) error {
	if err := c.writeFiles(tools.Player); err != nil {
		return err
	}
	planes := controlPlane(c.dir, tools.Kubernetes, c.options)
	if err := c.run(component{"containerd", []string{"containerd", "--config", filepath.Join(c.dir, "containerd.toml")}}); err != nil {
		return err
	}
	if err := c.run(planes[0]); err != nil {
		return err
	}
	if err := c.waitFor("etcd", func() error {
		conn, err := net.Dial("tcp", "127.0.0.1:2379")
		if err == nil {
			err = conn.Close()
		}
		return err
	}); err != nil {
		return err
	}
	if err := c.run(planes[1]); err != nil {
		return err
	}
	if err := c.waitFor("the image", c.importImage); err != nil {
		return err
	}
	if err := c.waitFor("the API server", func() error { return c.API.get(c.ctx, "/readyz", nil) }); err != nil {
		return err
	}
	for _, p := range planes[2:] {
		if err := c.run(p); err != nil {
			return err
		}
	}
	return c.waitFor("the node", func() error { return c.API.nodeReady(c.ctx) })
}

func (c *Cluster) writeFiles(player string) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	files := configs(c.dir, c.options)
	files[signingKey] = string(key)
	for name, text := range files {
		path := filepath.Join(c.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			return err
		}
	}
	image, err := packPlayer(player)
	if err != nil {
		return err
	}
	return c.save(image)
}

// imageFile is where an image is kept that is to be imported.
const imageFile = "image.tar"

func (c *Cluster) save(image Packed) error {
	file, err := os.Create(filepath.Join(c.dir, imageFile))
	if err != nil {
		return err
	}
	return errors.Join(image.save(file), file.Close())
}

// Import gives the node an image. One is imported at a time.
func (c *Cluster) Import(image Packed) error {
	c.importing.Lock()
	defer c.importing.Unlock()
	if err := c.save(image); err != nil {
		return err
	}
	return c.importImage()
}

// ImportArchive gives the node the images of an archive, in any form that containerd reads.
func (c *Cluster) ImportArchive(path string) error { return c.importFrom(path) }

// Kubeconfig is the path of a file by which others find the cluster.
func (c *Cluster) Kubeconfig() string { return filepath.Join(c.dir, "kubeconfig") }

func newKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), err
}

func (c *Cluster) importImage() error { return c.importFrom(filepath.Join(c.dir, imageFile)) }

func (c *Cluster) importFrom(archive string) error {
	out, err := exec.CommandContext(c.ctx, "ctr", "--address", filepath.Join(c.dir, "containerd.sock"), "--namespace", "k8s.io", "images", "import", archive).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot import the image: %w: %s", err, tail(out))
	}
	return nil
}

// run starts a component. Its end before Stop is the end of the cluster.
func (c *Cluster) run(p component) error {
	log, err := os.Create(c.log(p.name))
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(c.ctx, p.args[0], p.args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("cannot start %s: %w", p.name, err), log.Close())
	}
	c.running.Go(func() {
		err := cmd.Wait()
		c.stop(errors.Join(fmt.Errorf("%s has ended: %w", p.name, err), log.Close()))
	})
	return nil
}

func (c *Cluster) log(name string) string { return filepath.Join(c.dir, name+".log") }

// waitFor tries until it works.
func (c *Cluster) waitFor(what string, try func() error) error {
	deadline := time.After(startTimeout)
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

// Stop ends all components. The containers end with the namespaces.
func (c *Cluster) Stop() error {
	c.stop(errStopped)
	c.running.Wait()
	if err := context.Cause(c.ctx); !errors.Is(err, errStopped) {
		return err
	}
	return nil
}

// logTails are the ends of the components' logs.
func (c *Cluster) logTails() error {
	logs, err := filepath.Glob(c.log("*"))
	for _, path := range logs {
		data, readErr := os.ReadFile(path)
		err = errors.Join(err, readErr, fmt.Errorf("%s said:\n%s", filepath.Base(path), tail(data)))
	}
	return err
}
